import { GantryError } from '@gantry/kernel/gantry-error';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import type { TypedDocumentString } from './gql/graphql.js';
import { errorFromGraphql, type Transport } from './transport.js';

/** Subscriptions over one WebSocket, opened when the first one starts. */
export class LiveConnection {
  private readonly client: Client;
  private connectedTo: URL | undefined;
  /** A server has accepted this client's credentials before. */
  everConnected = false;

  constructor(private readonly transport: Transport) {
    this.client = createClient({
      url: () => {
        this.connectedTo = transport.endpoints.url;
        const url = new URL('/graphql', this.connectedTo);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        return url.toString();
      },
      webSocketImpl: WebSocket,
      lazy: true,
      // The caller resumes from its own position (`followLogs`), which a blind re-subscription cannot.
      retryAttempts: 0,
      on: { connected: () => (this.everConnected = true) },
      connectionParams: async () => ({ authorization: await transport.authorization() }),
    });
  }

  /** Values until the server completes; throws a retryable `unavailable` error when the connection breaks. */
  async *subscribe<Result, Variables extends Record<string, unknown>>(
    document: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result, void, undefined> {
    const iterator = this.client.iterate<Result>({ query: document.toString(), variables });
    try {
      for await (const { data, errors } of iterator) {
        const [first] = errors ?? [];
        if (first !== undefined) throw errorFromGraphql(first);
        if (data !== undefined && data !== null) yield data;
      }
    } catch (thrown) {
      const error = connectionError(thrown);
      if (error.code === 'CLIENT.DISCONNECTED' && this.connectedTo !== undefined)
        this.transport.endpoints.leave(this.connectedTo);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client.dispose();
  }
}

function connectionError(thrown: unknown): GantryError {
  if (thrown instanceof GantryError) return thrown;
  if (Array.isArray(thrown)) return errorFromGraphql(thrown[0]);
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  if (code === 4401 || code === 4403) {
    return new GantryError(
      'AUTH.REQUIRED',
      'unauthenticated',
      'Log in again: the server did not accept the credentials.',
      { cause: thrown },
    );
  }
  return new GantryError('CLIENT.DISCONNECTED', 'unavailable', 'The live connection broke.', { cause: thrown });
}
