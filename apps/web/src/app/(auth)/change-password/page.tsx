import type { Metadata } from 'next';
import { Suspense } from 'react';
import { ChangePasswordForm } from '@/features/auth/components/change-password-form';

export const metadata: Metadata = { title: 'Change password' };

export default function Page() {
  return (
    <Suspense>
      <ChangePasswordForm />
    </Suspense>
  );
}
