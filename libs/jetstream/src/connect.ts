import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface ConnectOptions {
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  /** Shown in the broker's connection list. */
  name: string;
}

/**
 * A connection that never gives up: it waits for the first broker and reconnects for ever, so a service outlives any restart
 * of the broker. `noAsyncTraces` doubles the publish rate (the client otherwise captures a stack for each request).
 */
export function connectNats({ url, user, password, name }: ConnectOptions): Promise<NatsConnection> {
  return connect({
    servers: url.split(',').map((server) => server.trim()),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    name,
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    // Two missed pings close a dead connection after about 20 s instead of the client's default of six minutes.
    pingInterval: 10_000,
    maxPingOut: 2,
  });
}
