import { randomUUID } from 'node:crypto';
import { subjects } from '@gantry/contracts/messaging/streams';
import { activeStatuses } from '@gantry/contracts/tasks/task-status';
import { KvLease } from '@gantry/jetstream/kv-lease';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { Quarantine } from '@gantry/jetstream/quarantine';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import { CLOCK, CONSUMER_HOST, LOGGER, METRICS_REGISTRY, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Provider } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { TaskArchiveFollower } from './adapters/in/task-archive.follower.js';
import { TaskArchiver } from './adapters/in/task-archiver.js';
import { JetStreamTaskArchive } from './adapters/out/jetstream-task-archive.js';
import { JetStreamTaskStream } from './adapters/out/jetstream-task-stream.js';
import { PrometheusArchiveMetrics } from './adapters/out/prometheus-archive-metrics.js';
import { ArchiveClosedTasks } from './application/archive/archive-closed-tasks.js';
import { ClosedTaskScan } from './application/archive/closed-task.scan.js';
import { Removals } from './application/archive/removals.js';
import { TaskBoard } from './projections/task-board/task-board.projection.js';

export interface ArchivePolicy {
  readonly keepMs: number;
  readonly keepTasks: number;
  readonly removeAfterMs: number;
  readonly frontPatienceMs: number;
  /** After every 500 tasks. */
  readonly busyPauseMs: number;
  readonly idlePauseMs: number;
}

export const ARCHIVE_POLICY = Symbol('archive policy');

/** As `environment.ts` has it; at most some 1,000 tasks a second. */
export const defaultArchivePolicy: ArchivePolicy = {
  keepMs: 7 * 86_400_000,
  keepTasks: 1_000_000,
  removeAfterMs: 600_000,
  frontPatienceMs: 60_000,
  busyPauseMs: 250,
  idlePauseMs: 5_000,
};

const LEASE_MS = 20_000;
const LONGEST_LINGER_MS = 3_600_000;
/** With the 30 s of an append this is far from the shortest wait before a removal. */
const LONGEST_UNKNOWN_MS = 10_000;

export const archiveProviders: Provider[] = [
  { provide: ARCHIVE_POLICY, useValue: defaultArchivePolicy },
  {
    provide: JetStreamTaskArchive,
    useFactory: (nc: NatsConnection, { removeAfterMs }: ArchivePolicy) =>
      new JetStreamTaskArchive(nc, Math.min(LONGEST_UNKNOWN_MS, removeAfterMs / 4)),
    inject: [NATS_CONNECTION, ARCHIVE_POLICY],
  },
  {
    provide: TaskArchiveFollower,
    useFactory: (host: ConsumerHost, archive: JetStreamTaskArchive) => new TaskArchiveFollower(host, archive),
    inject: [CONSUMER_HOST, JetStreamTaskArchive],
  },
  {
    provide: PrometheusArchiveMetrics,
    useFactory: (registry: Registry, archive: JetStreamTaskArchive) => new PrometheusArchiveMetrics(registry, archive),
    inject: [METRICS_REGISTRY, JetStreamTaskArchive],
  },
  {
    provide: TaskArchiver,
    useFactory: (
      nc: NatsConnection,
      archive: JetStreamTaskArchive,
      board: TaskBoard,
      quarantine: Quarantine,
      metrics: PrometheusArchiveMetrics,
      policy: ArchivePolicy,
      clock: Clock,
      logger: Logger,
    ) => {
      const stopping = new AbortController();
      const stream = new JetStreamTaskStream(nc, stopping.signal);
      const work = new ArchiveClosedTasks({
        stream,
        archive,
        scan: new ClosedTaskScan(stream, archive, logger, (taskId) => quarantine.holds(subjects.task(taskId))),
        removals: new Removals(stream, policy, () => performance.now()),
        limits: { ...policy, lingerMs: Math.min(LONGEST_LINGER_MS, policy.keepMs) },
        activeTasks: () => activeTasksOf(board),
        clock,
        metrics,
        logger,
      });
      const lease = new KvLease(nc, { bucket: 'tasks', key: 'archiver', holder: randomUUID(), ttlMs: LEASE_MS, clock });
      const { busyPauseMs, idlePauseMs } = policy;
      return new TaskArchiver({ lease, work, busyPauseMs, idlePauseMs, stopping, logger });
    },
    inject: [
      NATS_CONNECTION,
      JetStreamTaskArchive,
      TaskBoard,
      Quarantine,
      PrometheusArchiveMetrics,
      ARCHIVE_POLICY,
      CLOCK,
      LOGGER,
    ],
  },
];

function activeTasksOf(board: TaskBoard): number {
  const counts = board.countByStatus(null);
  return activeStatuses.reduce((sum, status) => sum + counts[status], 0);
}
