import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import { runMigrations } from '@gantry/clickhouse/run-migrations';
import { streams } from '@gantry/contracts/messaging/streams';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import type { Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import { CLOCK, HEALTH, LOGGER, METRICS_REGISTRY, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { ArchiveConsumer } from './adapters/in/archive.consumer.js';
import { AssignConsumer } from './adapters/in/assign.consumer.js';
import { AuthConsumer } from './adapters/in/auth.consumer.js';
import { LogsConsumer } from './adapters/in/logs.consumer.js';
import { ExportRequests } from './adapters/in/export.requests.js';
import { LogsRequests } from './adapters/in/logs.requests.js';
import { MetricsConsumer } from './adapters/in/metrics.consumer.js';
import { ReplySize } from './adapters/in/reply-size.js';
import { SchedConsumer } from './adapters/in/sched.consumer.js';
import { SeriesRequests } from './adapters/in/series.requests.js';
import { TasksConsumer } from './adapters/in/tasks.consumer.js';
import { TasksRequests } from './adapters/in/tasks.requests.js';
import { JetStreamReplaySource } from './adapters/out/jetstream-replay-source.js';
import { PrometheusIntakeMetrics } from './adapters/out/prometheus-intake-metrics.js';
import { TelemetryDatabase } from './adapters/out/telemetry-database.js';
import { AppliedPositions } from './application/applied-positions.js';
import { ReplayMissed } from './application/replay-missed.js';
import { StreamIntake } from './application/stream-intake.js';
import type { StreamProjection } from './application/stream-projection.port.js';
import type { TelemetryEnvironment } from './environment.js';
import { migrations } from './migrations/migrations.js';
import { applyRetention, MINUTE_RETENTION_FACTOR } from './migrations/retention.js';
import { ArchivedTasksProjection } from './projections/archived-tasks/archived-tasks.projection.js';
import { CommitArchiveProjection } from './projections/commit-archive/commit-archive.projection.js';
import { CommitArchiveReader } from './projections/commit-archive/commit-archive.reader.js';
import { SampleRollUp } from './projections/samples/samples.roll-up.js';
import { SamplesProjection } from './projections/samples/samples.projection.js';
import { SeriesReader } from './projections/samples/series.reader.js';
import { ArchivedTaskReader } from './projections/task-index/archived-task.reader.js';
import { MissingCommits } from './projections/task-index/missing-commits.js';
import { SummaryReader } from './projections/task-index/summary.reader.js';
import { TaskIndexProjection } from './projections/task-index/task-index.projection.js';
import { TaskIndexReader } from './projections/task-index/task-index.reader.js';
import { TaskLogsProjection } from './projections/task-logs/task-logs.projection.js';
import { TaskLogsReader } from './projections/task-logs/task-logs.reader.js';
import { TelemetryLifecycle } from './telemetry.lifecycle.js';
import {
  ARCHIVE_INTAKE,
  ASSIGN_INTAKE,
  AUTH_INTAKE,
  EXPORT_FOLDER,
  LOGS_INTAKE,
  METRICS_INTAKE,
  SCHED_INTAKE,
  TASKS_INTAKE,
} from './telemetry.tokens.js';

/** In the order in which a database that lacks them is filled: what left TASKS before what is there. */
const intakes = [
  ARCHIVE_INTAKE,
  TASKS_INTAKE,
  AUTH_INTAKE,
  ASSIGN_INTAKE,
  SCHED_INTAKE,
  LOGS_INTAKE,
  METRICS_INTAKE,
] as const;

/** An intake of one stream whose rows come from the injected projections. */
const intake = (
  token: symbol,
  stream: string,
  projections: readonly (new (...parts: never[]) => StreamProjection)[],
) => ({
  provide: token,
  inject: [AppliedPositions, PrometheusIntakeMetrics, CLOCK, ...projections],
  useFactory: (
    positions: AppliedPositions,
    metrics: PrometheusIntakeMetrics,
    clock: Clock,
    ...injected: StreamProjection[]
  ) => new StreamIntake(stream, injected, positions, metrics, clock),
});

@Module({})
export class TelemetryModule {
  static register(environment: TelemetryEnvironment): DynamicModule {
    const metricDays = environment.GANTRY_METRIC_RETENTION_DAYS;
    const stopping = new AbortController();
    return {
      module: TelemetryModule,
      controllers: [
        ArchiveConsumer,
        TasksConsumer,
        AuthConsumer,
        AssignConsumer,
        SchedConsumer,
        LogsConsumer,
        MetricsConsumer,
        TasksRequests,
        SeriesRequests,
        LogsRequests,
        ExportRequests,
      ],
      providers: [
        {
          provide: TelemetryDatabase,
          inject: [HEALTH, LOGGER],
          useFactory: (health: HealthState, logger: Logger) =>
            new TelemetryDatabase({
              connect: () => connectClickHouse(targetOf(environment)),
              prepare: async (clickhouse) => {
                await runMigrations(clickhouse, migrations);
                await applyRetention(clickhouse, { logDays: environment.GANTRY_LOG_RETENTION_DAYS, metricDays });
              },
              health,
              logger,
            }),
        },
        {
          provide: ReplySize,
          inject: [NATS_CONNECTION],
          useFactory: (nc: NatsConnection) => new ReplySize(nc.info?.max_payload ?? 1_048_576),
        },
        {
          provide: EXPORT_FOLDER,
          useValue: environment.CLICKHOUSE_URL === undefined ? environment.exportPath : null,
        },
        reader(AppliedPositions),
        reader(SampleRollUp),
        reader(CommitArchiveReader),
        reader(CommitArchiveProjection),
        reader(TaskIndexReader),
        reader(SummaryReader),
        reader(TaskLogsProjection),
        {
          provide: ArchivedTaskReader,
          inject: [CommitArchiveReader],
          useFactory: (archive: CommitArchiveReader) => new ArchivedTaskReader(archive),
        },
        {
          provide: TaskLogsReader,
          inject: [TelemetryDatabase, ReplySize],
          useFactory: (database: TelemetryDatabase, { bytes }: ReplySize) => new TaskLogsReader(database, bytes),
        },
        {
          provide: SeriesReader,
          inject: [TelemetryDatabase, ReplySize],
          useFactory: (database: TelemetryDatabase, { bytes }: ReplySize) =>
            new SeriesReader(
              database,
              { rawDays: metricDays, minuteDays: metricDays * MINUTE_RETENTION_FACTOR },
              bytes,
            ),
        },
        {
          provide: SamplesProjection,
          inject: [TelemetryDatabase, SampleRollUp, CLOCK],
          useFactory: (database: TelemetryDatabase, rollUp: SampleRollUp, clock: Clock) =>
            new SamplesProjection(database, rollUp, clock, metricDays),
        },
        {
          provide: TaskIndexProjection,
          inject: [TelemetryDatabase, TaskIndexReader, CommitArchiveReader, NATS_CONNECTION, LOGGER],
          useFactory: (
            database: TelemetryDatabase,
            index: TaskIndexReader,
            archive: CommitArchiveReader,
            nc: NatsConnection,
            logger: Logger,
          ) => {
            const missing = new MissingCommits(archive, new JetStreamEventStore(nc, streams.tasks));
            return new TaskIndexProjection(database, index, missing, logger);
          },
        },
        {
          provide: PrometheusIntakeMetrics,
          inject: [METRICS_REGISTRY],
          useFactory: (registry: Registry) => new PrometheusIntakeMetrics(registry),
        },
        {
          provide: JetStreamReplaySource,
          inject: [NATS_CONNECTION],
          useFactory: (nc: NatsConnection) => new JetStreamReplaySource(nc, stopping.signal),
        },
        {
          provide: ArchivedTasksProjection,
          inject: [
            JetStreamReplaySource,
            AppliedPositions,
            CommitArchiveReader,
            CommitArchiveProjection,
            TaskIndexProjection,
          ],
          useFactory: (
            confirmed: JetStreamReplaySource,
            positions: AppliedPositions,
            reader: CommitArchiveReader,
            ...projections: StreamProjection[]
          ) =>
            new ArchivedTasksProjection({
              confirmed,
              isWhole: (stream) => positions.isWhole(stream),
              reader,
              projections,
            }),
        },
        intake(ARCHIVE_INTAKE, streams.archive.name, [ArchivedTasksProjection]),
        // The archive goes first: the task index reads missing commits from it.
        intake(TASKS_INTAKE, streams.tasks.name, [CommitArchiveProjection, TaskIndexProjection]),
        intake(AUTH_INTAKE, streams.auth.name, [CommitArchiveProjection]),
        intake(ASSIGN_INTAKE, streams.assign.name, [CommitArchiveProjection]),
        intake(SCHED_INTAKE, streams.sched.name, [CommitArchiveProjection]),
        intake(LOGS_INTAKE, streams.logs.name, [TaskLogsProjection]),
        intake(METRICS_INTAKE, streams.metrics.name, [SamplesProjection]),
        {
          provide: ReplayMissed,
          inject: [JetStreamReplaySource, AppliedPositions, LOGGER, ...intakes],
          useFactory: (
            source: JetStreamReplaySource,
            positions: AppliedPositions,
            logger: Logger,
            ...all: StreamIntake[]
          ) => new ReplayMissed(source, positions, all, logger),
        },
        {
          provide: TelemetryLifecycle,
          inject: [NATS_CONNECTION, TelemetryDatabase, AppliedPositions, ReplayMissed, SampleRollUp, LOGGER],
          useFactory: (
            nc: NatsConnection,
            database: TelemetryDatabase,
            positions: AppliedPositions,
            replay: ReplayMissed,
            rollUp: SampleRollUp,
            logger: Logger,
          ) =>
            new TelemetryLifecycle({
              nc,
              database,
              positions,
              replay,
              rollUp,
              logger,
              stopping,
              rebuild: environment.GANTRY_TELEMETRY_REBUILD,
            }),
        },
      ],
    };
  }
}

/** A provider of a class whose only port is the database. */
function reader<T>(type: new (database: TelemetryDatabase) => T) {
  return {
    provide: type,
    inject: [TelemetryDatabase],
    useFactory: (database: TelemetryDatabase) => new type(database),
  };
}

function targetOf(environment: TelemetryEnvironment): Parameters<typeof connectClickHouse>[0] {
  const database = environment.CLICKHOUSE_DATABASE;
  if (environment.CLICKHOUSE_URL === undefined) return { path: environment.clickHousePath, database };
  return {
    url: environment.CLICKHOUSE_URL,
    database,
    ...(environment.CLICKHOUSE_USER === undefined ? {} : { username: environment.CLICKHOUSE_USER }),
    ...(environment.CLICKHOUSE_PASSWORD === undefined ? {} : { password: environment.CLICKHOUSE_PASSWORD }),
  };
}
