import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { createRequire } from 'node:module';
import { METRICS_REGISTRY } from '@gantry/nest-platform/tokens';
import { ServiceClient } from './adapters/service-client.js';
import { ErrorFilter } from './edge/error.filter.js';
import { graphqlOptions } from './edge/graphql-options.js';
import type { GatewayParts } from './gateway.parts.js';
import { ArtifactLinks } from './modules/artifacts/artifact-links.js';
import { ArtifactsController } from './modules/artifacts/artifacts.controller.js';
import { ArtifactsResolver } from './modules/artifacts/artifacts.resolver.js';
import { Account } from './modules/auth/account.js';
import { AuthController } from './modules/auth/auth.controller.js';
import { AuthResolver } from './modules/auth/auth.resolver.js';
import { SessionCookies } from './modules/auth/session-cookies.js';
import { DeadLetters } from './modules/dead-letters/dead-letters.js';
import { DeadLettersController } from './modules/dead-letters/dead-letters.controller.js';
import { DeadLettersResolver } from './modules/dead-letters/dead-letters.resolver.js';
import { HttpStatistics } from './modules/system/http-statistics.js';
import { SummaryQuery } from './modules/system/summary.js';
import { SystemController } from './modules/system/system.controller.js';
import { SystemHealthQuery } from './modules/system/system-health.js';
import { SystemResolver } from './modules/system/system.resolver.js';
import { TaskListQuery } from './modules/tasks/task-list.query.js';
import { TaskReader } from './modules/tasks/task-reader.js';
import { TaskSubscriptionsResolver } from './modules/tasks/task-subscriptions.resolver.js';
import { TasksController } from './modules/tasks/tasks.controller.js';
import { TasksResolver } from './modules/tasks/tasks.resolver.js';
import { LiveMetrics } from './modules/telemetry/live-metrics.js';
import { LogPagesQuery } from './modules/telemetry/log-pages.query.js';
import { SeriesQuery } from './modules/telemetry/series.query.js';
import { TaskTelemetryController } from './modules/telemetry/task-telemetry.controller.js';
import { TelemetryResolver } from './modules/telemetry/telemetry.resolver.js';
import { WorkerTasksQuery } from './modules/workers/worker-tasks.query.js';
import { WorkersController } from './modules/workers/workers.controller.js';
import { WorkersResolver } from './modules/workers/workers.resolver.js';
import { DocsController } from './openapi/docs.controller.js';
import { ConnectionLifetimes } from './security/connection-lifetime.js';
import { HealthFeed } from './subscriptions/health-feed.js';
import { LiveLogs } from './subscriptions/live-logs.js';
import { LiveTasks } from './subscriptions/live-tasks.js';
import { StreamSlots } from './subscriptions/stream-slots.js';
import { StreamsController } from './subscriptions/streams.controller.js';
import { SummaryFeed } from './subscriptions/summary-feed.js';
import { TaskReplay } from './subscriptions/task-replay.js';
import { WorkerFeed } from './subscriptions/worker-feed.js';

/** The contract with every client. Found by the package's name, which is the same for the sources and for the bundle. */
export const SCHEMA_PATH = createRequire(import.meta.url).resolve('@gantry/gateway/schema.graphql');

@Module({})
export class GatewayModule {
  static register(parts: GatewayParts): DynamicModule {
    return {
      module: GatewayModule,
      imports: [GraphQLModule.forRoot<ApolloDriverConfig>(graphqlOptions(SCHEMA_PATH, parts.gate, parts.logger))],
      controllers: [
        AuthController,
        TasksController,
        ArtifactsController,
        TaskTelemetryController,
        WorkersController,
        SystemController,
        DeadLettersController,
        StreamsController,
        DocsController,
      ],
      providers: [
        AuthResolver,
        TasksResolver,
        TaskSubscriptionsResolver,
        ArtifactsResolver,
        WorkersResolver,
        TelemetryResolver,
        SystemResolver,
        DeadLettersResolver,
        { provide: APP_FILTER, useValue: new ErrorFilter(parts.logger) },
        ...valuesOf(parts),
      ],
    };
  }
}

function valuesOf(parts: GatewayParts): Provider[] {
  return [
    { provide: ServiceClient, useValue: parts.services },
    { provide: TaskReader, useValue: parts.taskReader },
    { provide: TaskListQuery, useValue: parts.taskLists },
    { provide: WorkerTasksQuery, useValue: parts.workerTasks },
    { provide: ArtifactLinks, useValue: parts.links },
    { provide: DeadLetters, useValue: parts.deadLetters },
    { provide: Account, useValue: parts.account },
    { provide: SessionCookies, useValue: parts.cookies },
    { provide: LiveTasks, useValue: parts.liveTasks },
    { provide: LiveLogs, useValue: parts.liveLogs },
    { provide: LiveMetrics, useValue: parts.liveMetrics },
    { provide: TaskReplay, useValue: parts.replay },
    { provide: LogPagesQuery, useValue: parts.logPages },
    { provide: SeriesQuery, useValue: parts.series },
    { provide: SummaryQuery, useValue: parts.summary },
    { provide: SystemHealthQuery, useValue: parts.systemHealth },
    { provide: HttpStatistics, useValue: parts.statistics },
    { provide: SummaryFeed, useValue: parts.summaryFeed },
    { provide: HealthFeed, useValue: parts.healthFeed },
    { provide: WorkerFeed, useValue: parts.workerFeed },
    { provide: StreamSlots, useValue: parts.slots },
    { provide: ConnectionLifetimes, useValue: parts.lifetimes },
    { provide: METRICS_REGISTRY, useValue: parts.registry },
  ];
}
