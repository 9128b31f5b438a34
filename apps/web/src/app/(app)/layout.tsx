import '@mantine/notifications/styles.css';
import { NuqsAdapter } from 'nuqs/adapters/next/app';
import type { ReactNode } from 'react';
import { Shell } from './_shell/shell';
import { SignedIn } from './_shell/signed-in';

export default function AppLayout({ children }: { children: ReactNode }) {
  return (
    <NuqsAdapter>
      <SignedIn>
        <Shell>{children}</Shell>
      </SignedIn>
    </NuqsAdapter>
  );
}
