import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type {
  SnapshotDraft,
  SnapshotEntry,
  SnapshotStore,
  StreamPosition,
} from '@gantry/event-sourcing/snapshot-store.port';
import { followStream } from '@gantry/jetstream/follow-stream';
import { SnapshotKeeper, type SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BeforeApplicationShutdown, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DeletedTask, PurgeLeftoversHandler } from '../../application/purge-leftovers.handler.js';
import type { TaskCommandExecutor } from '../../application/task-command.executor.js';
import { TASK_SNAPSHOT_VERSION } from '../../application/task-snapshot.js';

export interface TaskStreamFollowerOptions {
  readonly nc: NatsConnection;
  readonly executor: TaskCommandExecutor;
  readonly barrier: StreamBarrier;
  readonly leftovers: PurgeLeftoversHandler;
  readonly snapshots: SnapshotStore;
  readonly snapshotPolicy: Partial<SnapshotPolicy>;
  readonly clock: Clock;
  readonly health: HealthState;
  readonly logger: Logger;
}

/**
 * Makes this service's streams and rebuilds its memory: the newest snapshot, then TASKS from there on. Nothing is served before
 * the board is complete.
 */
export class TaskStreamFollower implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly stop = new AbortController();
  private readonly keeper: SnapshotKeeper;
  private position: StreamPosition = { sequence: 0, commitId: '' };
  /** Newer than `position` if set; its id is parsed only when a snapshot wants to know it. */
  private last: StreamMessage | undefined;

  constructor(private readonly options: TaskStreamFollowerOptions) {
    this.keeper = new SnapshotKeeper({
      nc: options.nc,
      store: options.snapshots,
      name: 'board',
      version: TASK_SNAPSHOT_VERSION,
      logger: options.logger,
      policy: options.snapshotPolicy,
      capture: () => this.capture(),
    });
  }

  async onModuleInit(): Promise<void> {
    const { nc, executor, barrier, leftovers, logger, clock } = this.options;
    for (const stream of [streams.tasks, streams.artifacts, streams.reports]) await ensureStream(nc, stream);
    const begin = clock.now();
    const restored = await this.keeper.restore((entries) => this.take(entries));
    this.position = restored?.[streams.tasks.name] ?? this.position;
    barrier.advance(this.position.sequence);
    let commits = 0;
    await new Promise<void>((resolve, reject) => {
      const reading = followStream(nc, streams.tasks.name, {
        fromSequence: this.position.sequence + 1,
        onMessage: (message) => {
          commits += 1;
          this.onMessage(message);
        },
        onCaughtUp: resolve,
        signal: this.stop.signal,
      });
      reading.catch((error: unknown) => {
        this.fail(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    logger.info({ commits, tasks: executor.board.size, milliseconds: clock.now() - begin }, 'board complete');
    this.keeper.start();
    leftovers.purge().catch((error: unknown) => logger.warn({ err: error }, 'files of deleted tasks are still stored'));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.keeper.stop();
  }

  /** Not awaited: the connection closes next and ends the reading in any case. */
  onApplicationShutdown(): void {
    this.stop.abort();
  }

  private onMessage(message: StreamMessage): void {
    const { executor, barrier, leftovers } = this.options;
    const { subject, streamSequence } = message;
    if (!executor.isEcho(streamSequence)) {
      const stored = { commit: message.json() as Commit<TaskEvent>, streamSequence, subject };
      executor.absorb(stored);
      leftovers.observe(stored);
    }
    barrier.advance(streamSequence);
    this.last = message;
    this.keeper.count();
  }

  private capture(): SnapshotDraft {
    if (this.last !== undefined)
      this.position = {
        sequence: this.last.streamSequence,
        commitId: this.last.headers?.get('Nats-Msg-Id') ?? '',
      };
    const { executor, leftovers } = this.options;
    const tasks = executor.snapshot();
    const deletedTasks = leftovers.recent();
    const entries = function* (): Generator<SnapshotEntry> {
      yield { own: deletedTasks, shared: [], text: '' };
      yield* tasks;
    };
    return { positions: { [streams.tasks.name]: this.position }, entries: entries() };
  }

  /** Only the first entry, of the deleted tasks, shares nothing with others. */
  private take(entries: readonly SnapshotEntry[]): void {
    const { executor, leftovers } = this.options;
    for (const entry of entries) {
      if (entry.shared.length > 0) executor.restore(entry);
      else (entry.own as readonly DeletedTask[]).forEach((deleted) => leftovers.remember(deleted));
    }
  }

  /** A commit that cannot be folded is a defect: say so loudly rather than serve a board that silently stands still. */
  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    this.options.logger.error({ err: error }, 'reading of stream TASKS ended');
    this.options.health.set('task-board', 'unhealthy', 'The reading of stream TASKS ended; restart the service.');
  }
}
