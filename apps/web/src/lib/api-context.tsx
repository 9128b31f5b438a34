'use client';
import type { Client } from 'graphql-ws';
import { createContext, use, useSyncExternalStore } from 'react';
import type { ApiEndpoints } from './api-endpoints';
import type { ConnectionState, ConnectionStore } from './connection-state';
import { ProblemError, problemFromWire, problemOfStatus } from './problem';

export interface ApiAccess {
  readonly endpoints: ApiEndpoints;
  readonly channel: Client;
  readonly connection: ConnectionStore;
  readonly getAccessToken: () => Promise<string | null>;
}

const ApiContext = createContext<ApiAccess | null>(null);

export const ApiAccessProvider = ApiContext.Provider;

export function useApi(): ApiAccess {
  const api = use(ApiContext);
  if (api === null) throw new Error('useApi needs the signed-in layout around it.');
  return api;
}

export function useConnection(): ConnectionState {
  const { connection } = useApi();
  return useSyncExternalStore(connection.subscribe, connection.get, connection.get);
}

/** A REST call on the caller's behalf. Throws ProblemError for anything but 2xx. */
export async function restFetch(api: ApiAccess, path: string, init: RequestInit = {}): Promise<Response> {
  const token = await api.getAccessToken();
  const response = await fetch(`${api.endpoints.base}${path}`, {
    ...init,
    credentials: 'include',
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { message?: unknown; error?: { message?: unknown } } | null;
  const detail = body?.error ?? body;
  throw new ProblemError(
    typeof detail?.message === 'string' ? problemFromWire(detail.message, detail) : problemOfStatus(response.status),
  );
}
