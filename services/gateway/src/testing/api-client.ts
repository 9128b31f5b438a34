import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface GraphqlReply {
  status: number;
  data: Record<string, unknown> | null | undefined;
  errors: { message: string; extensions: Record<string, unknown> }[] | undefined;
}

export async function graphql(
  url: string,
  query: string,
  options: { variables?: Record<string, unknown>; token?: string | undefined; headers?: Record<string, string> } = {},
): Promise<GraphqlReply & { headers: Headers }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(options.token), ...options.headers },
    body: JSON.stringify({ query, variables: options.variables }),
  });
  const body = (await response.json()) as Omit<GraphqlReply, 'status'>;
  return { status: response.status, data: body.data, errors: body.errors, headers: response.headers };
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export function subscriber(url: string, token: string | undefined, options: { retry?: number } = {}): Client {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: options.retry ?? 0,
    ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
  });
}

/** Collects what a subscription sends until it ends or is closed. */
export function collect<T>(client: Client, query: string, variables: Record<string, unknown> = {}) {
  const values: T[] = [];
  const errors: unknown[] = [];
  const state = { done: false };
  const stop = client.subscribe<T>(
    { query, variables },
    {
      next: (value) => {
        if (value.errors !== undefined) errors.push(...value.errors);
        if (value.data !== null && value.data !== undefined) values.push(value.data);
      },
      error: (error) => {
        errors.push(...(Array.isArray(error) ? (error as unknown[]) : [error]));
        state.done = true;
      },
      complete: () => {
        state.done = true;
      },
    },
  );
  return { values, errors, state, stop };
}
