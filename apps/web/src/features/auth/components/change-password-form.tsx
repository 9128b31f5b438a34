'use client';
import { Button, Stack, Text } from '@mantine/core';
import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect } from 'react';
import { safeNextPath } from '../model/next-path';
import { AuthCard } from './auth-card';
import { PasswordFields } from './password-fields';
import { useSessionAccess, useSessionState } from './session-context';

export function ChangePasswordForm() {
  const access = useSessionAccess();
  const state = useSessionState();
  const router = useRouter();
  const next = safeNextPath(useSearchParams().get('next'));

  useEffect(() => {
    if (state.status === 'signed_out') router.replace('/login');
  }, [state.status, router]);

  return (
    <AuthCard
      title="Choose a new password"
      footer={
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => void access?.session.signOut().catch(() => undefined)}
        >
          Log out
        </Button>
      }
    >
      <Stack gap="md">
        {state.status === 'signed_in' && state.user.mustChangePassword ? (
          <Text size="sm">The password you logged in with was generated. Replace it by one that only you know.</Text>
        ) : null}
        <PasswordFields submitLabel="Change password" onChanged={() => router.replace(next)} />
      </Stack>
    </AuthCard>
  );
}
