import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { GraphQLSchema } from 'graphql';
import { NestLogger } from '@gantry/nest-platform/nest-logger';
import { drainOnStop } from './edge/drain.js';
import { createFastify } from './edge/fastify.js';
import type { GatewayEnvironment } from './environment.js';
import { GatewayModule } from './gateway.module.js';
import { startFeeds, type GatewayParts } from './gateway.parts.js';
import { guardHttp } from './security/http-guard.js';
import { createGraphqlSocket } from './subscriptions/graphql-socket.js';
import { rawStreams } from './subscriptions/raw-streams.js';
import { UpgradeRouter } from './subscriptions/upgrade-router.js';

export interface GatewayServer {
  /** `http://host:port` */
  url: string;
  schema: GraphQLSchema;
  /** `METHOD /path` of every HTTP route. */
  routes: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Opens the doors: HTTP, GraphQL, WebSockets, event streams. */
export async function startGatewayServer(environment: GatewayEnvironment, parts: GatewayParts): Promise<GatewayServer> {
  const { GANTRY_TRUST_PROXY: trustProxy, GANTRY_WEB_ORIGINS: allowedOrigins } = environment;
  const { logger, authenticator, lifetimes, gate, tickets, statistics, slots } = parts;
  const fastify = await createFastify({ allowedOrigins, trustProxy, statistics });
  const { drain } = drainOnStop(fastify);
  const { routes } = guardHttp(fastify, authenticator, tickets, gate);
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.register(parts),
    new FastifyAdapter(fastify as never),
    {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLogger(logger),
    },
  );
  await app.init();
  await fastify.ready();

  const { schema } = app.get(GraphQLSchemaHost, { strict: false });
  const ipOf = (request: IncomingMessage) => clientAddress(request, trustProxy);
  const socket = createGraphqlSocket({ schema, authenticator, lifetimes, ipOf });
  const upgrades = new UpgradeRouter({
    routes: rawStreams({
      tasks: parts.liveTasks,
      logs: parts.liveLogs,
      metrics: parts.liveMetrics,
      workers: parts.workerFeed,
    }),
    graphql: socket.server,
    authenticator,
    lifetimes,
    gate,
    slots,
    allowedOrigins,
    ipOf,
    logger,
  });
  upgrades.attach(fastify.server);

  const reading = new AbortController();
  const feeds = await startFeeds(parts, reading.signal);
  await app.listen(environment.GANTRY_API_PORT, environment.GANTRY_API_HOST);
  const { port } = fastify.server.address() as AddressInfo;
  return {
    url: `http://${environment.GANTRY_API_HOST === '0.0.0.0' ? '127.0.0.1' : environment.GANTRY_API_HOST}:${port}`,
    schema,
    routes,
    stop: async () => {
      // While everything still works: live connections come again elsewhere, requests in hand get their answers.
      const drained = drain();
      upgrades.close();
      await socket.dispose();
      await drained;
      await app.close();
      reading.abort();
      await feeds.ended;
    },
  };
}

/** The first address in X-Forwarded-For is what the client says; the last one is what our proxy saw. */
function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  const seen = trustProxy && typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined;
  return seen ?? request.socket.remoteAddress ?? 'unknown';
}
