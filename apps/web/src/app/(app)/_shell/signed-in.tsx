'use client';
import { ApolloProvider } from '@apollo/client/react';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { usePathname, useRouter } from 'next/navigation';
import { useEffect, type ReactNode } from 'react';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { useSessionAccess, useSessionState } from '@/features/auth/components/session-context';
import { ApiAccessProvider } from '@/lib/api-context';
import { ProblemError } from '@/lib/problem';
import { clientsFor } from './clients';
import { ShellSkeleton } from './shell-skeleton';

/** Everything below has a session, an API client and a live channel; without a session the log-in page takes over. */
export function SignedIn({ children }: { children: ReactNode }) {
  const access = useSessionAccess();
  const state = useSessionState();
  const router = useRouter();
  const pathname = usePathname();
  const mustChange = state.status === 'signed_in' && state.user.mustChangePassword;

  useEffect(() => {
    const next = encodeURIComponent(pathname + window.location.search);
    if (state.status === 'signed_out') router.replace(`/login?next=${next}`);
    else if (mustChange) router.replace(`/change-password?next=${next}`);
  }, [state.status, mustChange, pathname, router]);

  if (state.status === 'unreachable') {
    return (
      <main style={{ display: 'grid', placeItems: 'center', minHeight: '100dvh' }}>
        <ProblemPanel error={new ProblemError(state.problem)} onRetry={() => void access?.session.refresh()} />
      </main>
    );
  }
  if (access === null || state.status !== 'signed_in' || mustChange) return <ShellSkeleton />;
  // Another person on the same tab must not see what the cache knows of the first.
  const { apollo, api } = clientsFor(access, state.user.id);
  return (
    <ApolloProvider client={apollo} key={state.user.id}>
      <ApiAccessProvider value={api}>
        <ModalsProvider modalProps={{ centered: true }}>
          <Notifications position="bottom-right" limit={4} containerWidth={360} />
          {children}
        </ModalsProvider>
      </ApiAccessProvider>
    </ApolloProvider>
  );
}
