import { randomUUID } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import type { Registry } from 'prom-client';
import { getSigningKeys, verifyApiKey } from '@gantry/contracts/auth/auth-requests';
import { streams } from '@gantry/contracts/messaging/streams';
import { listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import { getTask } from '@gantry/contracts/tasks/task-requests';
import { monotonicClock, type Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import { ServiceClient, type ServiceRequests } from './adapters/service-client.js';
import type { GatewayEnvironment } from './environment.js';
import { ArtifactLinks } from './modules/artifacts/artifact-links.js';
import { Account } from './modules/auth/account.js';
import { SessionCookies } from './modules/auth/session-cookies.js';
import { DeadLetters } from './modules/dead-letters/dead-letters.js';
import { gaugeOf, HttpStatistics } from './modules/system/http-statistics.js';
import { SummaryQuery } from './modules/system/summary.js';
import { SystemHealthQuery } from './modules/system/system-health.js';
import { TaskListQuery } from './modules/tasks/task-list.query.js';
import { TaskReader } from './modules/tasks/task-reader.js';
import { LiveMetrics } from './modules/telemetry/live-metrics.js';
import { LogPagesQuery } from './modules/telemetry/log-pages.query.js';
import { SeriesQuery } from './modules/telemetry/series.query.js';
import { WorkerTasksQuery } from './modules/workers/worker-tasks.query.js';
import { AccessTokenVerifier } from './security/access-token.verifier.js';
import { ApiKeyVerifier } from './security/api-key.verifier.js';
import { Authenticator } from './security/authenticator.js';
import { ConnectionLifetimes } from './security/connection-lifetime.js';
import { DownloadTickets } from './security/download-ticket.js';
import { Gate } from './security/gate.js';
import { HealthFeed } from './subscriptions/health-feed.js';
import { LiveLogs } from './subscriptions/live-logs.js';
import { LiveTasks } from './subscriptions/live-tasks.js';
import { MetricFeed } from './subscriptions/metric-feed.js';
import { StreamSlots } from './subscriptions/stream-slots.js';
import type { StreamReader } from './subscriptions/stream-reader.port.js';
import { SummaryFeed } from './subscriptions/summary-feed.js';
import { TaskFeed } from './subscriptions/task-feed.js';
import { TaskReplay } from './subscriptions/task-replay.js';
import { WorkerFeed } from './subscriptions/worker-feed.js';

export interface GatewayPorts {
  requests: ServiceRequests;
  reader: StreamReader;
  clock: Clock;
  logger: Logger;
  health: HealthState;
  registry: Registry;
}

/** A JWK set; jose checks each key when it uses it. */
const signingKeysSchema = z.custom<JSONWebKeySet>(
  (value) => typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys),
);

/** Everything the doors need, put together once; Nest hands it to resolvers and controllers. */
export type GatewayParts = ReturnType<typeof createParts>;

export function createParts(environment: GatewayEnvironment, ports: GatewayPorts) {
  const { reader, clock, logger } = ports;
  const services = new ServiceClient(ports.requests);

  const authenticator = new Authenticator(
    new AccessTokenVerifier(
      async () => signingKeysSchema.parse(await services.askAsGateway(getSigningKeys, {}, randomUUID())),
      clock,
      monotonicClock,
    ),
    new ApiKeyVerifier((key) => services.askAsGateway(verifyApiKey, { key }, randomUUID()), monotonicClock),
  );
  const gate = new Gate({
    credentialsPerMinute: environment.GANTRY_AUTH_RATE_PER_MINUTE,
    generalPerMinute: environment.GANTRY_RATE_PER_MINUTE,
  });
  const tickets = new DownloadTickets(clock, environment.GANTRY_TICKET_SECRET);
  const slots = new StreamSlots(environment.GANTRY_MAX_STREAMS);
  const statistics = new HttpStatistics(ports.registry);

  const taskFeed = new TaskFeed(
    async (taskId) => (await services.askAsGateway(getTask, { taskId, visibleTo: null }, `view-of-${taskId}`)).task,
    logger,
  );
  const workerFeed = new WorkerFeed(
    async () => (await services.askAsGateway(listWorkers, {}, 'worker-feed')).workers,
    logger,
  );
  const metricFeed = new MetricFeed(logger);
  const summaryFeed = new SummaryFeed();
  taskFeed.watch(({ task }) => {
    summaryFeed.touch(task.ownerId);
    workerFeed.touch();
  });

  const systemHealth = new SystemHealthQuery(services, () => ports.health.report(), clock);
  const healthFeed = new HealthFeed(async () => ({ ...(await systemHealth.read()), ...statistics.latencies() }));

  const taskReader = new TaskReader(services);
  gaugeOf(ports.registry, 'gantry_subscribers', 'Live subscribers by kind.', () => ({
    task: taskFeed.subscribers,
    worker: workerFeed.subscribers,
    metrics: metricFeed.subscribers,
    summary: summaryFeed.subscribers,
    health: healthFeed.subscribers,
    streams: slots.used,
  }));

  return {
    ...ports,
    services,
    authenticator,
    lifetimes: new ConnectionLifetimes(authenticator, clock),
    gate,
    tickets,
    slots,
    statistics,
    taskFeed,
    workerFeed,
    metricFeed,
    summaryFeed,
    healthFeed,
    taskReader,
    taskLists: new TaskListQuery(services, (taskId) => taskFeed.latest(taskId), clock),
    workerTasks: new WorkerTasksQuery(services, clock),
    links: new ArtifactLinks(services, taskReader, tickets),
    account: new Account(services),
    deadLetters: new DeadLetters(services),
    cookies: new SessionCookies(environment.GANTRY_WEB_ORIGINS),
    liveTasks: new LiveTasks(taskFeed, taskReader),
    liveLogs: new LiveLogs(reader, taskFeed, taskReader, services),
    liveMetrics: new LiveMetrics(metricFeed, taskFeed, taskReader, services),
    replay: new TaskReplay(reader, taskReader),
    logPages: new LogPagesQuery(services, taskReader, clock),
    series: new SeriesQuery(services, taskReader),
    summary: new SummaryQuery(services, clock),
    systemHealth,
  };
}

/**
 * One reader per stream for the whole process; each goes on by itself until the signal aborts. Resolves once the places to
 * read from are known: whoever subscribes after that misses nothing, though the readers still connect.
 */
export async function startFeeds(parts: GatewayParts, signal: AbortSignal): Promise<{ ended: Promise<unknown> }> {
  const { reader, taskFeed, metricFeed, workerFeed, summaryFeed, health, logger } = parts;
  const follow = (stream: string, from: number, onMessage: Parameters<StreamReader['follow']>[0]['onMessage']) =>
    reader.follow({ stream, from, signal, onMessage }).catch((error: unknown) => {
      if (signal.aborted) return;
      health.set(`reader of ${stream}`, 'unhealthy', 'It stopped; restart the gateway.');
      logger.error({ err: error, stream }, 'reader stopped');
    });
  const [tasks, metrics, fleet] = await Promise.all([
    reader.next(streams.tasks.name),
    reader.next(streams.metrics.name),
    reader.next(streams.fleet.name),
  ]);
  const ended = Promise.all([
    follow(streams.tasks.name, tasks, (record) => taskFeed.take(record)),
    follow(streams.metrics.name, metrics, (record) => metricFeed.take(record)),
    follow(streams.fleet.name, fleet, () => {
      workerFeed.touch();
      summaryFeed.touch();
    }),
  ]);
  return { ended };
}
