'use client';
import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import Link from 'next/link';
import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect } from 'react';
import { useForm } from 'react-hook-form';
import { LogInDocument } from '@/gql/graphql';
import { graphqlFetch } from '@/lib/graphql-fetch';
import { safeNextPath } from '../model/next-path';
import { checkEmail } from '../model/password-rules';
import { AuthCard } from './auth-card';
import { FormProblem } from './form-problem';
import { useSessionAccess, useSessionState } from './session-context';
import { useAuthForm } from './use-auth-form';

interface Values {
  email: string;
  password: string;
}

export function LoginForm() {
  const access = useSessionAccess();
  const state = useSessionState();
  const router = useRouter();
  const search = useSearchParams();
  const next = safeNextPath(search.get('next'));
  const { register, handleSubmit, formState } = useForm<Values>({
    defaultValues: { email: search.get('email') ?? '', password: '' },
  });
  const form = useAuthForm<Values>(async (values) => {
    if (access === null) return;
    const { logIn } = await graphqlFetch(access.endpoints.graphql, LogInDocument, {
      email: values.email.trim(),
      password: values.password,
    });
    access.session.signIn(logIn);
  });

  // Also when another tab signed in, or the cookie was still good.
  useEffect(() => {
    if (state.status !== 'signed_in') return;
    router.replace(state.user.mustChangePassword ? `/change-password?next=${encodeURIComponent(next)}` : next);
  }, [state, next, router]);

  return (
    <AuthCard
      title="Log in"
      footer={
        <>
          New here?{' '}
          <Anchor component={Link} href="/register" inherit>
            Create an account
          </Anchor>
        </>
      }
    >
      <form onSubmit={(event) => void handleSubmit(form.run)(event)} noValidate method="post">
        <Stack gap="md">
          {search.get('registered') !== null && form.problem === null ? (
            <div role="status" className="soft">
              Your account is ready. Log in with it.
            </div>
          ) : null}
          <FormProblem problem={form.problem} />
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            autoFocus
            error={formState.errors.email?.message}
            {...register('email', { validate: (value) => checkEmail(value) ?? true })}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            error={formState.errors.password?.message}
            {...register('password', { required: 'Write your password.' })}
          />
          <Button type="submit" loading={form.busy || state.status === 'signed_in'} fullWidth>
            Log in
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
