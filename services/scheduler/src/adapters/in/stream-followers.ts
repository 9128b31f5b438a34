import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { heartbeatSchema } from '@gantry/contracts/agents/heartbeat';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import type { SnapshotStore, StreamPosition } from '@gantry/event-sourcing/snapshot-store.port';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { followStream } from '@gantry/jetstream/follow-stream';
import { SnapshotKeeper, type SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { ensureStream, readableStream, waitForStream } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { Leadership } from '../../application/leadership.js';
import type { SchedulingLoop } from '../../application/scheduling-loop.js';
import { BOARD_SNAPSHOT_VERSION } from '../../domain/cluster/board-snapshot.js';

export interface StreamFollowersOptions {
  readonly nc: NatsConnection;
  readonly loop: SchedulingLoop;
  readonly leadership: Leadership;
  readonly taskStore: EventStore<TaskEvent>;
  readonly assignStore: EventStore<AssignEvent>;
  readonly snapshots: SnapshotStore;
  readonly snapshotPolicy: Partial<SnapshotPolicy>;
  readonly clock: Clock;
  readonly health: HealthState;
  readonly logger: Logger;
}

/**
 * Makes the streams, takes in the newest snapshot, reads TASKS and ASSIGN from there on, and FLEET, and stays live. ASSIGN is read after TASKS, so that of its
 * assignments those that TASKS has not recorded yet are known before anything is decided.
 */
export class StreamFollowers implements OnModuleInit, BeforeApplicationShutdown {
  private readonly abort = new AbortController();
  private readonly keeper: SnapshotKeeper;
  private readonly positions = new Map<string, StreamPosition>();

  constructor(private readonly options: StreamFollowersOptions) {
    const { nc, loop, logger, snapshots, snapshotPolicy } = options;
    this.keeper = new SnapshotKeeper({
      nc,
      store: snapshots,
      name: 'board',
      version: BOARD_SNAPSHOT_VERSION,
      logger,
      policy: snapshotPolicy,
      capture: () => ({ positions: Object.fromEntries(this.positions), entries: loop.snapshot() }),
    });
  }

  async onModuleInit(): Promise<void> {
    const { nc, loop, leadership, taskStore, assignStore, clock, logger } = this.options;
    const began = clock.now();
    for (const stream of [streams.assign, streams.sched, streams.fleet]) await ensureStream(nc, stream);
    // The tasks service may start later, in any order: wait for as long as it takes.
    await waitForStream(nc, streams.tasks.name, { timeoutMs: Number.MAX_SAFE_INTEGER });
    const { signal } = this.abort;
    await this.restore();
    await this.caughtUp('TASKS', (onCaughtUp) =>
      taskStore.follow({
        fromSequence: this.nextOf(streams.tasks.name),
        onCommit: (stored) => {
          loop.onTaskCommit(stored);
          this.reached(streams.tasks.name, stored);
        },
        onCaughtUp,
        signal,
      }),
    );
    await this.caughtUp('ASSIGN', (onCaughtUp) =>
      assignStore.follow({
        fromSequence: this.nextOf(streams.assign.name),
        onCommit: (stored) => {
          loop.onAssignCommit(stored);
          this.reached(streams.assign.name, stored);
        },
        onCaughtUp,
        signal,
      }),
    );
    let live = false;
    await this.caughtUp('FLEET', (onCaughtUp) =>
      followStream(nc, streams.fleet.name, {
        fromSequence: 1,
        onMessage: (message) => this.onFleetMessage(message, live),
        onCaughtUp,
        signal,
      }),
    );
    live = true;
    loop.onConnected();
    this.watchConnection();
    await leadership.start();
    this.keeper.start();
    logger.info({ milliseconds: clock.now() - began, leading: loop.isLeading }, 'picture complete');
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { leadership, logger } = this.options;
    // Without a broker nothing can be handed over: the next leader then waits for the lease to run out.
    const deadline = new AbortController();
    const stopping = leadership
      .stop()
      .catch((error: unknown) => logger.warn({ error }, 'leadership was not handed over'));
    await Promise.race([
      stopping,
      setTimeoutPromise(4_000, undefined, { signal: deadline.signal }).catch(() => undefined),
    ]);
    deadline.abort();
    await this.keeper.stop();
    this.abort.abort();
  }

  private async restore(): Promise<void> {
    const { nc, loop } = this.options;
    const { state } = await readableStream(nc, streams.assign.name);
    const restored = await this.keeper.restore((entries) => loop.restore(entries, state.first_seq));
    for (const [stream, position] of Object.entries(restored ?? {})) this.positions.set(stream, position);
  }

  private nextOf(stream: string): number {
    return (this.positions.get(stream)?.sequence ?? 0) + 1;
  }

  private reached(stream: string, { streamSequence, commit }: StoredCommit): void {
    this.positions.set(stream, { sequence: streamSequence, commitId: commit.id });
    this.keeper.count();
  }

  private onFleetMessage(message: StreamMessage, live: boolean): void {
    const parsed = heartbeatSchema.safeParse(jsonOf(message));
    if (!parsed.success || message.subject !== `fleet.${parsed.data.workerId}`) {
      this.options.logger.warn(
        { subject: message.subject, issues: parsed.error?.issues.slice(0, 3) },
        'heartbeat is unreadable',
      );
      return;
    }
    const now = this.options.clock.now();
    this.options.loop.onHeartbeat(parsed.data, live ? now : Math.min(now, message.timestampMs));
  }

  private watchConnection(): void {
    const { nc, loop } = this.options;
    const unsubscribe = ConnectionState.of(nc).onChange((connected) => {
      if (connected) loop.onConnected();
      else loop.onDisconnected();
    });
    this.abort.signal.addEventListener('abort', unsubscribe, { once: true });
  }

  /** Starts a reading that goes on in the background; resolves at its first end. */
  private caughtUp(stream: string, read: (onCaughtUp: () => void) => Promise<void>): Promise<void> {
    const { health, logger } = this.options;
    return new Promise((resolve, reject) => {
      read(resolve).catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
        if (this.abort.signal.aborted) return;
        logger.error({ error, stream }, 'reading of a stream ended');
        health.set(`stream-${stream}`, 'unhealthy', `The reading of stream ${stream} ended; restart the service.`);
      });
    });
  }
}

function jsonOf(message: StreamMessage): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
