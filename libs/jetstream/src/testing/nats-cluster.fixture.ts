import { randomUUID } from 'node:crypto';
import { freePort } from './free-port.js';
import { type NatsServerFixture, startNatsServer } from './nats-server.fixture.js';

export interface NatsClusterFixture {
  readonly servers: readonly NatsServerFixture[];
  /** Addresses of all of them, as a service gets them. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Three real servers on loopback that form one JetStream cluster. */
export async function startNatsCluster(): Promise<NatsClusterFixture> {
  const routes = [await freePort(), await freePort(), await freePort()];
  const cluster = `gantry-${randomUUID().slice(0, 8)}`;
  const servers = await Promise.all(
    routes.map((port, index) =>
      startNatsServer({
        config: [
          `server_name: "n${index}"`,
          `cluster { name: ${cluster}, listen: "127.0.0.1:${port}", routes: [${routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ')}] }`,
        ].join('\n'),
      }),
    ),
  );
  return {
    servers,
    url: servers.map(({ url }) => url).join(','),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
