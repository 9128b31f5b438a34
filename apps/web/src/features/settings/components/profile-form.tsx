'use client';
import { useMutation } from '@apollo/client/react';
import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from 'react-hook-form';
import { Facts } from '@/components/ui/facts';
import { RelativeTime } from '@/components/ui/relative-time';
import { toastDone, toastProblem } from '@/components/ui/toast';
import { useSessionAccess, useSessionState } from '@/features/auth/components/session-context';
import { UpdateProfileDocument, type MySettingsQuery } from '@/gql/graphql';

export function ProfileForm({ me }: { me: MySettingsQuery['me'] }) {
  const access = useSessionAccess();
  const state = useSessionState();
  const [update] = useMutation(UpdateProfileDocument);
  const { register, handleSubmit, formState, reset } = useForm({ defaultValues: { name: me.name } });

  const save = async ({ name }: { name: string }) => {
    try {
      const { data } = await update({ variables: { name: name.trim() } });
      if (data === undefined) return;
      if (state.status === 'signed_in') access?.session.updateUser({ ...state.user, name: data.updateProfile.name });
      reset({ name: data.updateProfile.name });
      toastDone('Profile saved');
    } catch (thrown) {
      toastProblem(thrown);
    }
  };

  return (
    <form onSubmit={(event) => void handleSubmit(save)(event)} noValidate method="post">
      <Stack gap="md">
        <TextInput
          label="Name"
          error={formState.errors.name?.message}
          {...register('name', {
            validate: (value) => value.trim() !== '' || 'Say your name.',
            maxLength: { value: 100, message: 'Use at most 100 characters.' },
          })}
        />
        <Facts
          items={[
            { label: 'E-mail', value: me.email },
            { label: 'Role', value: me.role },
            { label: 'Member since', value: <RelativeTime time={me.createdAt} /> },
          ]}
        />
        <div>
          <Button type="submit" loading={formState.isSubmitting} disabled={!formState.isDirty}>
            Save
          </Button>
        </div>
      </Stack>
    </form>
  );
}
