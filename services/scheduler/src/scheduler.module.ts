import { lossAfterMs } from '@gantry/contracts/messaging/lease-timing';
import { timing } from '@gantry/contracts/messaging/timing';
import { streams } from '@gantry/contracts/messaging/streams';
import { assignEventSchemas, type AssignEvent, type SchedEvent } from '@gantry/contracts/scheduling/assign-events';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import { KvLease } from '@gantry/jetstream/kv-lease';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { snapshotPolicyOf } from '@gantry/jetstream/snapshot-environment';
import type { SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { Logger } from '@gantry/nest-platform/logger';
import { CLOCK, CONSUMER_HOST, IDS, LOGGER, NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import type { NatsConnection } from '@nats-io/transport-node';
import { Module, type DynamicModule } from '@nestjs/common';
import { StreamFollowers } from './adapters/in/stream-followers.js';
import { SchedulerRequests } from './adapters/in/scheduler.requests.js';
import { JetStreamPendingReports } from './adapters/out/jetstream-pending-reports.js';
import { JetStreamStoredHeartbeats } from './adapters/out/jetstream-stored-heartbeats.js';
import { Leadership } from './application/leadership.js';
import { ReadSchedulerHandler } from './application/read-scheduler.handler.js';
import { SchedulingLoop } from './application/scheduling-loop.js';
import { systemTimers } from './application/scheduling.ports.js';
import { Cluster } from './domain/cluster/cluster.js';
import type { FleetTiming } from './domain/fleet/worker-record.js';
import type { PolicyChoice } from './domain/placement/placement-engine.js';
import type { Environment } from './environment.js';

const DAY = 86_400_000;

export interface SchedulerOptions {
  readonly policy: PolicyChoice;
  readonly timing: FleetTiming;
  /** How long a leader may go without renewing. */
  readonly leaderTtlMs: number;
  readonly sweepMs: number;
  readonly snapshots: Partial<SnapshotPolicy>;
}

export function optionsOf(environment: Environment): SchedulerOptions {
  return {
    policy: { default: environment.GANTRY_SCHEDULER_POLICY, queues: environment.GANTRY_QUEUE_POLICIES },
    timing: {
      heartbeatMs: timing.heartbeatMs,
      leaseMs: environment.GANTRY_LEASE_MS,
      lossAfterMs: (leaseMs) => lossAfterMs(leaseMs),
      forgetLostAfterMs: DAY,
    },
    leaderTtlMs: 3_000,
    sweepMs: 1_000,
    snapshots: snapshotPolicyOf(environment),
  };
}

@Module({})
export class SchedulerModule {
  /** Tests pass shorter times than the environment allows. */
  static register(environment: Environment, overrides: Partial<SchedulerOptions> = {}): DynamicModule {
    const options = { ...optionsOf(environment), ...overrides };
    return {
      module: SchedulerModule,
      controllers: [SchedulerRequests],
      providers: [
        { provide: Cluster, useFactory: () => new Cluster(options.policy, options.timing) },
        {
          provide: SchedulingLoop,
          useFactory: (cluster: Cluster, nc: NatsConnection, clock: Clock, ids: IdSource, logger: Logger) =>
            new SchedulingLoop({
              cluster,
              assignStore: new JetStreamEventStore<AssignEvent>(nc, streams.assign, { loadOnly: assignEventSchemas }),
              schedStore: new JetStreamEventStore<SchedEvent>(nc, streams.sched),
              pendingReports: new JetStreamPendingReports(nc),
              storedHeartbeats: new JetStreamStoredHeartbeats(nc),
              monotonic: () => performance.now(),
              clock,
              ids,
              timers: systemTimers,
              logger,
              sweepMs: options.sweepMs,
            }),
          inject: [Cluster, NATS_CONNECTION, CLOCK, IDS, LOGGER],
        },
        {
          provide: Leadership,
          useFactory: (loop: SchedulingLoop, nc: NatsConnection, ids: IdSource, logger: Logger) => {
            const holder = ids.next();
            const lease = new KvLease(nc, {
              bucket: 'scheduler',
              key: 'leader',
              holder,
              ttlMs: options.leaderTtlMs,
              // Nobody can set it: a step of the time of day must not lengthen a leadership.
              clock: { now: () => performance.now() },
            });
            return new Leadership({ lease, loop, timers: systemTimers, logger, holder, ttlMs: options.leaderTtlMs });
          },
          inject: [SchedulingLoop, NATS_CONNECTION, IDS, LOGGER],
        },
        {
          provide: StreamFollowers,
          useFactory: (host: ConsumerHost, loop: SchedulingLoop, leadership: Leadership, clock: Clock) =>
            new StreamFollowers({
              host,
              loop,
              leadership,
              snapshots: new KvSnapshotStore(host.nc, 'scheduler'),
              snapshotPolicy: options.snapshots,
              clock,
            }),
          inject: [CONSUMER_HOST, SchedulingLoop, Leadership, CLOCK],
        },
        {
          provide: ReadSchedulerHandler,
          useFactory: (cluster: Cluster, clock: Clock) => new ReadSchedulerHandler(cluster, options.policy, clock),
          inject: [Cluster, CLOCK],
        },
      ],
    };
  }
}
