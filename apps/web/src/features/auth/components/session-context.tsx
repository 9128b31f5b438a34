'use client';
import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { ApiLocation } from '@/environment';
import { apiEndpoints, type ApiEndpoints } from '@/lib/api-endpoints';
import { browserSessionPorts } from '../api/session-ports.browser';
import { Session, type SessionState } from '../model/session';

interface SessionAccess {
  readonly endpoints: ApiEndpoints;
  readonly session: Session;
}

const SessionContext = createContext<SessionAccess | null>(null);

// One per tab: React may mount the provider twice, and a second refresh at load would only rotate the token again.
let access: SessionAccess | undefined;

function accessFor(api: ApiLocation): SessionAccess | null {
  if (typeof window === 'undefined') return null;
  if (access === undefined) {
    const endpoints = apiEndpoints(api, window.location);
    access = { endpoints, session: new Session(browserSessionPorts(endpoints.graphql)) };
  }
  return access;
}

export function SessionProvider({ api, children }: { api: ApiLocation; children: ReactNode }) {
  const [value] = useState(() => accessFor(api));
  return <SessionContext value={value}>{children}</SessionContext>;
}

/** Null while rendering on the server, where nobody is signed in. */
export function useSessionAccess(): SessionAccess | null {
  return use(SessionContext);
}

/** Starts the session if nothing has yet, and follows it. */
export function useSessionState(): SessionState {
  const current = useSessionAccess();
  const state = useSyncExternalStore(current?.session.subscribe ?? never, current?.session.get ?? unknown, unknown);
  useEffect(() => {
    if (current?.session.get().status === 'unknown') void current.session.start();
  }, [current]);
  return state;
}

const unknownState: SessionState = { status: 'unknown' };
const unknown = () => unknownState;
const never = () => () => undefined;
