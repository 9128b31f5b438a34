import { streams } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { SnapshotDraft, SnapshotStore, StreamPosition } from '@gantry/event-sourcing/snapshot-store.port';
import { GapRepair } from '@gantry/jetstream/gap-repair';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import type { Quarantine } from '@gantry/jetstream/quarantine';
import { SnapshotKeeper, type SnapshotPolicy } from '@gantry/jetstream/snapshot-keeper';
import { storedCommitOf } from '@gantry/jetstream/stored-commit';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Clock } from '@gantry/kernel/clock';
import type { BeforeApplicationShutdown, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DeletedTask, PurgeLeftoversHandler } from '../../application/purge-leftovers.handler.js';
import type { TaskCommandExecutor } from '../../application/task-command.executor.js';
import { TASK_SNAPSHOT_VERSION } from '../../application/task-snapshot.js';
import type { JetStreamTaskArchive } from '../out/jetstream-task-archive.js';

export interface TaskStreamFollowerOptions {
  readonly host: ConsumerHost;
  readonly quarantine: Quarantine;
  readonly executor: TaskCommandExecutor;
  readonly barrier: StreamBarrier;
  readonly leftovers: PurgeLeftoversHandler;
  readonly archive: Pick<JetStreamTaskArchive, 'reach' | 'mayHold'>;
  readonly snapshots: SnapshotStore;
  readonly snapshotPolicy: Partial<SnapshotPolicy>;
  readonly clock: Clock;
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
  private readonly gaps: GapRepair;

  constructor(private readonly options: TaskStreamFollowerOptions) {
    const { logger } = options.host;
    this.gaps = new GapRepair({ logger, signal: this.stop.signal, repair: () => this.forgetArchived() });
    this.keeper = new SnapshotKeeper({
      nc: options.host.nc,
      store: options.snapshots,
      name: 'board',
      version: TASK_SNAPSHOT_VERSION,
      logger: options.host.logger,
      policy: options.snapshotPolicy,
      capture: () => this.capture(),
    });
  }

  async onModuleInit(): Promise<void> {
    const { quarantine, executor, barrier, leftovers, clock } = this.options;
    const { nc, logger } = this.options.host;
    for (const stream of [streams.tasks, streams.artifacts, streams.reports]) await ensureStream(nc, stream);
    const begin = clock.now();
    const restored = await this.keeper.restore((page) => this.take(page));
    this.position = restored?.[streams.tasks.name] ?? this.position;
    barrier.advance(this.position.sequence);
    let commits = 0;
    await new Promise<void>((resolve, reject) => {
      const reading = quarantine.follow({
        fromSequence: this.position.sequence + 1,
        held: this.position.held,
        apply: (message) => this.apply(message),
        onPassed: (message) => {
          commits += 1;
          this.passed(message);
        },
        onDiscarded: ({ subject }) => executor.forget(subject.slice(subject.lastIndexOf('.') + 1)),
        onGap: () => this.gaps.noticed(),
        onCaughtUp: resolve,
        signal: this.stop.signal,
      });
      reading.catch((error: unknown) => {
        this.fail(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    await this.gaps.start();
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

  private apply(message: StreamMessage): void {
    const { executor, leftovers } = this.options;
    if (executor.isEcho(message.streamSequence)) return;
    const stored = storedCommitOf<TaskEvent>(message);
    executor.absorb(stored);
    leftovers.observe(stored);
  }

  /** Only ended tasks leave TASKS, long after they were archived. */
  private async forgetArchived(): Promise<void> {
    const { executor, archive, host } = this.options;
    await archive.reach();
    const forgotten = await executor.forgetArchived((taskId) => archive.mayHold(taskId));
    host.logger.info({ forgotten }, 'tasks that had ended unread are left to the archive');
  }

  private passed(message: StreamMessage): void {
    this.options.barrier.advance(message.streamSequence);
    this.last = message;
    this.keeper.count();
  }

  private capture(): SnapshotDraft | undefined {
    if (this.last !== undefined)
      this.position = {
        sequence: this.last.streamSequence,
        commitId: this.last.headers?.get('Nats-Msg-Id') ?? '',
      };
    const { executor, leftovers, quarantine } = this.options;
    const held = quarantine.snapshot();
    if (held === undefined) return undefined;
    const tasks = executor.snapshot();
    const deletedTasks = leftovers.recent();
    const entries = function* (): Generator<SnapshotEntry> {
      yield { key: '', numbers: [], shared: [], texts: [JSON.stringify(deletedTasks)] };
      yield* tasks;
    };
    return { positions: { [streams.tasks.name]: { ...this.position, held } }, entries: entries() };
  }

  /** Only the first page, of the deleted tasks, has nothing that entries share. */
  private take(page: SnapshotPage): void {
    const { executor, leftovers } = this.options;
    if (page.layout.shared > 0) executor.restore(page);
    else (JSON.parse(page.text(0, 0)) as readonly DeletedTask[]).forEach((deleted) => leftovers.remember(deleted));
  }

  /** Whatever ends the reading leaves a board that stands still: say so loudly. */
  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    const { logger, health } = this.options.host;
    logger.error({ err: error }, 'reading of stream TASKS ended');
    health.set('task-board', 'unhealthy', 'The reading of stream TASKS ended; restart the service.');
  }
}
