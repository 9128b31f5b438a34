import { streams } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { Quarantine } from '@gantry/jetstream/quarantine';
import type { SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import { CLOCK, CONSUMER_HOST, IDS, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import { type DynamicModule, Module } from '@nestjs/common';
import { ArtifactsRequests } from './adapters/in/artifacts.requests.js';
import { CurrentBoard } from './adapters/in/current-board.interceptor.js';
import { ReportsConsumer } from './adapters/in/reports.consumer.js';
import { SchedulingConsumer } from './adapters/in/scheduling.consumer.js';
import { TaskStreamFollower } from './adapters/in/task-stream.follower.js';
import { TasksRequests } from './adapters/in/tasks.requests.js';
import { ArchivedTaskStore } from './adapters/out/archived-task.store.js';
import { JetStreamArtifactStore } from './adapters/out/jetstream-artifact.store.js';
import { JetStreamTaskArchive } from './adapters/out/jetstream-task-archive.js';
import { OptimisticCreateStore } from './adapters/out/optimistic-create.store.js';
import { CancelTaskHandler } from './application/cancel-task.handler.js';
import { CommitArtifactHandler } from './application/commit-artifact.handler.js';
import { DeleteTaskHandler } from './application/delete-task.handler.js';
import { PurgeLeftoversHandler } from './application/purge-leftovers.handler.js';
import { PutArtifactChunkHandler } from './application/put-artifact-chunk.handler.js';
import { ReadArtifactHandler } from './application/read-artifact.handler.js';
import { ReadTasksHandler } from './application/read-tasks.handler.js';
import { RecordAssignmentHandler } from './application/record-assignment.handler.js';
import { RecordLostAttemptsHandler } from './application/record-lost-attempts.handler.js';
import { RecordWithdrawalHandler } from './application/record-withdrawal.handler.js';
import { RecordReportHandler } from './application/record-report.handler.js';
import { RetryTaskHandler } from './application/retry-task.handler.js';
import { SubmitTaskHandler } from './application/submit-task.handler.js';
import { TaskCommandExecutor } from './application/task-command.executor.js';
import { ARCHIVE_POLICY, archiveProviders, type ArchivePolicy, defaultArchivePolicy } from './archive.providers.js';
import { TaskBoard } from './projections/task-board/task-board.projection.js';

/** Random spread of waiting times; drawn here, so that the domain stays free of chance. */
const jitter = (): number => Math.random();

/** When to save snapshots; tests make them frequent. */
const SNAPSHOT_POLICY = Symbol('snapshot policy');

export interface TasksSettings {
  readonly snapshots?: Partial<SnapshotPolicy>;
  readonly archive?: Partial<ArchivePolicy>;
}

@Module({
  controllers: [TasksRequests, ArtifactsRequests, ReportsConsumer, SchedulingConsumer],
  providers: [
    { provide: SNAPSHOT_POLICY, useValue: {} },
    ...archiveProviders,
    { provide: TaskBoard, useFactory: () => new TaskBoard() },
    {
      provide: StreamBarrier,
      useFactory: (nc: NatsConnection) => new StreamBarrier(nc, streams.tasks.name),
      inject: [NATS_CONNECTION],
    },
    CurrentBoard,
    {
      provide: Quarantine,
      useFactory: (host: ConsumerHost) =>
        new Quarantine(host, { stream: streams.tasks.name, consumer: 'tasks-board', later: 'wait' }),
      inject: [CONSUMER_HOST],
    },
    {
      provide: JetStreamEventStore,
      useFactory: (nc: NatsConnection, quarantine: Quarantine) =>
        new JetStreamEventStore<TaskEvent>(nc, streams.tasks, { quarantine }),
      inject: [NATS_CONNECTION, Quarantine],
    },
    {
      provide: ArchivedTaskStore,
      useFactory: (store: JetStreamEventStore<TaskEvent>, archive: JetStreamTaskArchive, quarantine: Quarantine) =>
        new ArchivedTaskStore(store, archive, (message) => quarantine.isDiscarded(message)),
      inject: [JetStreamEventStore, JetStreamTaskArchive, Quarantine],
    },
    {
      provide: OptimisticCreateStore,
      useFactory: (store: ArchivedTaskStore) => new OptimisticCreateStore(store),
      inject: [ArchivedTaskStore],
    },
    {
      provide: TaskCommandExecutor,
      useFactory: (
        store: ArchivedTaskStore,
        board: TaskBoard,
        clock: Clock,
        appendStore: OptimisticCreateStore<TaskEvent>,
        barrier: StreamBarrier,
      ) => new TaskCommandExecutor(store, board, clock, appendStore, (sequence) => barrier.wrote(sequence)),
      inject: [ArchivedTaskStore, TaskBoard, CLOCK, OptimisticCreateStore, StreamBarrier],
    },
    {
      provide: JetStreamArtifactStore,
      useFactory: (nc: NatsConnection) => new JetStreamArtifactStore(nc),
      inject: [NATS_CONNECTION],
    },
    {
      provide: SubmitTaskHandler,
      useFactory: (
        executor: TaskCommandExecutor,
        fresh: OptimisticCreateStore<TaskEvent>,
        ids: IdSource,
        clock: Clock,
      ) => new SubmitTaskHandler(executor, fresh, ids, clock),
      inject: [TaskCommandExecutor, OptimisticCreateStore, IDS, CLOCK],
    },
    {
      provide: CancelTaskHandler,
      useFactory: (executor: TaskCommandExecutor, ids: IdSource, clock: Clock) =>
        new CancelTaskHandler(executor, ids, clock),
      inject: [TaskCommandExecutor, IDS, CLOCK],
    },
    {
      provide: RetryTaskHandler,
      useFactory: (executor: TaskCommandExecutor, submit: SubmitTaskHandler, ids: IdSource) =>
        new RetryTaskHandler(executor, submit, ids),
      inject: [TaskCommandExecutor, SubmitTaskHandler, IDS],
    },
    {
      provide: DeleteTaskHandler,
      useFactory: (executor: TaskCommandExecutor, artifacts: JetStreamArtifactStore, ids: IdSource, clock: Clock) =>
        new DeleteTaskHandler(executor, artifacts, ids, clock),
      inject: [TaskCommandExecutor, JetStreamArtifactStore, IDS, CLOCK],
    },
    {
      provide: ReadTasksHandler,
      useFactory: (executor: TaskCommandExecutor) => new ReadTasksHandler(executor),
      inject: [TaskCommandExecutor],
    },
    {
      provide: PutArtifactChunkHandler,
      useFactory: (executor: TaskCommandExecutor, artifacts: JetStreamArtifactStore) =>
        new PutArtifactChunkHandler(executor, artifacts),
      inject: [TaskCommandExecutor, JetStreamArtifactStore],
    },
    {
      provide: CommitArtifactHandler,
      useFactory: (executor: TaskCommandExecutor, artifacts: JetStreamArtifactStore, clock: Clock) =>
        new CommitArtifactHandler(executor, artifacts, clock),
      inject: [TaskCommandExecutor, JetStreamArtifactStore, CLOCK],
    },
    {
      provide: ReadArtifactHandler,
      useFactory: (executor: TaskCommandExecutor, artifacts: JetStreamArtifactStore) =>
        new ReadArtifactHandler(executor, artifacts),
      inject: [TaskCommandExecutor, JetStreamArtifactStore],
    },
    {
      provide: RecordAssignmentHandler,
      useFactory: (executor: TaskCommandExecutor) => new RecordAssignmentHandler(executor),
      inject: [TaskCommandExecutor],
    },
    {
      provide: RecordWithdrawalHandler,
      useFactory: (executor: TaskCommandExecutor, clock: Clock) => new RecordWithdrawalHandler(executor, clock),
      inject: [TaskCommandExecutor, CLOCK],
    },
    {
      provide: RecordReportHandler,
      useFactory: (executor: TaskCommandExecutor, clock: Clock) => new RecordReportHandler(executor, clock, jitter),
      inject: [TaskCommandExecutor, CLOCK],
    },
    {
      provide: RecordLostAttemptsHandler,
      useFactory: (executor: TaskCommandExecutor, clock: Clock) =>
        new RecordLostAttemptsHandler(executor, clock, jitter),
      inject: [TaskCommandExecutor, CLOCK],
    },
    {
      provide: PurgeLeftoversHandler,
      useFactory: (artifacts: JetStreamArtifactStore, clock: Clock) => new PurgeLeftoversHandler(artifacts, clock),
      inject: [JetStreamArtifactStore, CLOCK],
    },
    {
      provide: TaskStreamFollower,
      useFactory: (
        host: ConsumerHost,
        quarantine: Quarantine,
        executor: TaskCommandExecutor,
        barrier: StreamBarrier,
        leftovers: PurgeLeftoversHandler,
        archive: JetStreamTaskArchive,
        clock: Clock,
        snapshotPolicy: Partial<SnapshotPolicy>,
      ) =>
        new TaskStreamFollower({
          host,
          quarantine,
          executor,
          barrier,
          leftovers,
          archive,
          snapshots: new KvSnapshotStore(host.nc, 'tasks'),
          snapshotPolicy,
          clock,
        }),
      inject: [
        CONSUMER_HOST,
        Quarantine,
        TaskCommandExecutor,
        StreamBarrier,
        PurgeLeftoversHandler,
        JetStreamTaskArchive,
        CLOCK,
        SNAPSHOT_POLICY,
      ],
    },
  ],
})
export class TasksModule {
  static with({ snapshots = {}, archive = {} }: TasksSettings): DynamicModule {
    return {
      module: TasksModule,
      providers: [
        { provide: SNAPSHOT_POLICY, useValue: snapshots },
        { provide: ARCHIVE_POLICY, useValue: { ...defaultArchivePolicy, ...archive } },
      ],
    };
  }
}
