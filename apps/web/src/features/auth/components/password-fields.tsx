'use client';
import { Button, PasswordInput, Stack } from '@mantine/core';
import { useForm } from 'react-hook-form';
import { ChangePasswordDocument } from '@/gql/graphql';
import { graphqlFetch } from '@/lib/graphql-fetch';
import { checkNewPassword, MIN_PASSWORD_LENGTH } from '../model/password-rules';
import { FormProblem } from './form-problem';
import { useSessionAccess } from './session-context';
import { fieldMessage, useAuthForm } from './use-auth-form';

interface Values {
  currentPassword: string;
  newPassword: string;
  repeated: string;
}

/** The change-password form: forced after the first log-in, and in the settings. */
export function PasswordFields({ onChanged, submitLabel }: { onChanged: () => void; submitLabel: string }) {
  const access = useSessionAccess();
  const { register, handleSubmit, formState, reset } = useForm<Values>({
    defaultValues: { currentPassword: '', newPassword: '', repeated: '' },
  });
  const form = useAuthForm<Values>(async ({ currentPassword, newPassword }) => {
    if (access === null) return;
    const accessToken = await access.session.getAccessToken();
    const { changePassword } = await graphqlFetch(
      access.endpoints.graphql,
      ChangePasswordDocument,
      { currentPassword, newPassword },
      { accessToken },
    );
    access.session.updateUser(changePassword);
    // The old access token still says that the password must change; the next one does not.
    await access.session.refresh();
    reset();
    onChanged();
  });
  return (
    <form onSubmit={(event) => void handleSubmit(form.run)(event)} noValidate method="post">
      <Stack gap="md">
        <FormProblem problem={form.problem} />
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          error={formState.errors.currentPassword?.message ?? fieldMessage(form.problem, 'currentPassword')}
          {...register('currentPassword', { required: 'Write your current password.' })}
        />
        <PasswordInput
          label="New password"
          description={`At least ${MIN_PASSWORD_LENGTH} characters.`}
          autoComplete="new-password"
          error={formState.errors.newPassword?.message ?? fieldMessage(form.problem, 'newPassword')}
          {...register('newPassword', {
            validate: (value, all) =>
              checkNewPassword(value) ??
              (value === all.currentPassword ? 'Choose one that differs from the current password.' : true),
          })}
        />
        <PasswordInput
          label="Repeat new password"
          autoComplete="new-password"
          error={formState.errors.repeated?.message}
          {...register('repeated', {
            validate: (value, all) => value === all.newPassword || 'The two passwords differ.',
          })}
        />
        <Button type="submit" loading={form.busy}>
          {submitLabel}
        </Button>
      </Stack>
    </form>
  );
}
