'use client';
import { ApolloProvider } from '@apollo/client/react';
import { usePathname, useRouter } from 'next/navigation';
import { useEffect, useState, type ReactNode } from 'react';
import { Overlays } from '@/components/ui/overlays';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { useSessionAccess, useSessionState } from '@/features/auth/components/session-context';
import { ApiAccessProvider } from '@/lib/api-context';
import { ProblemError } from '@/lib/problem';
import { ShellSkeleton } from './shell-skeleton';

type ClientsModule = typeof import('./clients');

// The API client is large and of no use before the session is known: it loads while the session is looked up.
const loadingClients: Promise<ClientsModule> | null = typeof window === 'undefined' ? null : import('./clients');

function useClientsModule(): ClientsModule | null {
  const [module, setModule] = useState<ClientsModule | null>(null);
  useEffect(() => {
    let current = true;
    void loadingClients?.then((loaded) => current && setModule(loaded));
    return () => {
      current = false;
    };
  }, []);
  return module;
}

/** Everything below has a session, an API client and a live channel; without a session the log-in page takes over. */
export function SignedIn({ children }: { children: ReactNode }) {
  const access = useSessionAccess();
  const state = useSessionState();
  const router = useRouter();
  const pathname = usePathname();
  const clients = useClientsModule();
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
  if (access === null || clients === null || state.status !== 'signed_in' || mustChange) return <ShellSkeleton />;
  // Another person on the same tab must not see what the cache knows of the first.
  const { apollo, api } = clients.clientsFor(access, state.user.id);
  return (
    <ApolloProvider client={apollo} key={state.user.id}>
      <ApiAccessProvider value={api}>
        {children}
        <Overlays />
      </ApiAccessProvider>
    </ApolloProvider>
  );
}
