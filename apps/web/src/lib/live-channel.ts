import { createClient, type Client } from 'graphql-ws';
import type { ConnectionStore } from './connection-state';

const LONGEST_WAIT_MS = 10_000;

/** Full jitter: after an outage, browsers must not all come back in the same second. */
export function reconnectDelay(retries: number, random: number): number {
  return Math.round(Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(retries, 6)) * (0.5 + random / 2));
}

/**
 * The one WebSocket of a tab. Reconnects for ever; every connection asks for a fresh token, so a socket that the server
 * closed because the token ran out comes back by itself.
 */
export function createLiveChannel(
  url: string,
  getAccessToken: () => Promise<string | null>,
  connection: ConnectionStore,
): Client {
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;
  return createClient({
    url,
    // A page change closes one subscription and opens the next: keep the socket for that moment.
    lazyCloseTimeout: 5_000,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, reconnectDelay(retries, Math.random()))),
    connectionParams: async () => {
      const token = await getAccessToken();
      return token === null ? {} : { authorization: `Bearer ${token}` };
    },
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      connected: () => connection.opened(),
      closed: () => {
        clearTimeout(pongTimer);
        connection.lost();
      },
      ping: (received) => {
        // A network that died silently sends no close: without an answer to our ping the socket is given up.
        if (!received) pongTimer = setTimeout(() => socket?.close(4_408, 'Request Timeout'), 5_000);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });
}
