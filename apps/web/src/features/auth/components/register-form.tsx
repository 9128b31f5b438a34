'use client';
import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { useForm } from 'react-hook-form';
import { LogInDocument, RegisterDocument } from '@/gql/graphql';
import { graphqlFetch } from '@/lib/graphql-fetch';
import { checkEmail, checkNewPassword, MIN_PASSWORD_LENGTH } from '../model/password-rules';
import { AuthCard } from './auth-card';
import { FormProblem } from './form-problem';
import { useSessionAccess } from './session-context';
import { fieldMessage, useAuthForm } from './use-auth-form';

interface Values {
  name: string;
  email: string;
  password: string;
}

export function RegisterForm() {
  const access = useSessionAccess();
  const router = useRouter();
  const { register, handleSubmit, formState } = useForm<Values>({
    defaultValues: { name: '', email: '', password: '' },
  });
  const form = useAuthForm<Values>(async (values) => {
    if (access === null) return;
    const email = values.email.trim();
    await graphqlFetch(access.endpoints.graphql, RegisterDocument, {
      name: values.name.trim(),
      email,
      password: values.password,
    });
    try {
      const { logIn } = await graphqlFetch(access.endpoints.graphql, LogInDocument, {
        email,
        password: values.password,
      });
      access.session.signIn(logIn);
      router.replace('/');
    } catch {
      // The account exists; only the comfort of being logged in at once failed.
      router.replace(`/login?registered&email=${encodeURIComponent(email)}`);
    }
  });

  return (
    <AuthCard
      title="Create an account"
      footer={
        <>
          Have one already?{' '}
          <Anchor component={Link} href="/login" inherit>
            Log in
          </Anchor>
        </>
      }
    >
      <form onSubmit={(event) => void handleSubmit(form.run)(event)} noValidate method="post">
        <Stack gap="md">
          <FormProblem problem={form.problem} />
          <TextInput
            label="Name"
            autoComplete="name"
            autoFocus
            error={formState.errors.name?.message ?? fieldMessage(form.problem, 'name')}
            {...register('name', {
              validate: (value) => value.trim() !== '' || 'Say your name.',
              maxLength: { value: 100, message: 'Use at most 100 characters.' },
            })}
          />
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            error={formState.errors.email?.message ?? fieldMessage(form.problem, 'email')}
            {...register('email', { validate: (value) => checkEmail(value) ?? true })}
          />
          <PasswordInput
            label="Password"
            description={`At least ${MIN_PASSWORD_LENGTH} characters.`}
            autoComplete="new-password"
            error={formState.errors.password?.message ?? fieldMessage(form.problem, 'password')}
            {...register('password', { validate: (value) => checkNewPassword(value) ?? true })}
          />
          <Button type="submit" loading={form.busy} fullWidth>
            Create account
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
