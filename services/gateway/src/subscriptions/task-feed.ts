import { commitSchema, type StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { GantryError } from '@gantry/kernel/gantry-error';
import { TransientMap } from '@gantry/kernel/transient-map';
import type { Logger } from '@gantry/nest-platform/logger';
import { CoalescingQueue } from './coalescing-queue.js';
import type { StreamRecord } from './stream-reader.port.js';

/** A task changed. `previous` is unknown when this process had not seen the task before. */
export interface TaskChange {
  task: TaskView;
  previous: TaskView | undefined;
  streamSequence: number;
}

export interface TaskFeedOptions {
  /** One task; default: all. */
  taskId?: string;
  matches: (task: TaskView) => boolean;
}

interface Subscriber {
  queue: CoalescingQueue<TaskChange>;
  matches: (task: TaskView) => boolean;
}

/** Views kept; the least recently changed go first and are asked for again when they change. */
const MAX_VIEWS = 20_000;
const MAX_LOAD_ROUNDS = 30;

/**
 * Turns TASKS into views, once for the whole process, and hands each change to those who may see it. A view that is not
 * at hand is asked of the tasks service; changes of one task are applied in order, of different tasks side by side.
 */
export class TaskFeed {
  private readonly views = new TransientMap<string, TaskView>();
  private readonly loading = new TransientMap<string, { latest: StoredCommit }>();
  private readonly all = new Set<Subscriber>();
  private readonly byTask = new Map<string, Set<Subscriber>>();
  private readonly watchers = new Set<(change: TaskChange) => void>();

  constructor(
    /** The current view with the eyes of the gateway; throws `not_found` for what is gone. */
    private readonly load: (taskId: string) => Promise<TaskView>,
    private readonly logger: Logger,
  ) {}

  latest(taskId: string): TaskView | undefined {
    return this.views.get(taskId);
  }

  get subscribers(): number {
    let count = this.all.size;
    for (const set of this.byTask.values()) count += set.size;
    return count;
  }

  /** Takes one message of TASKS. */
  take(record: StreamRecord): void {
    const parsed = commitSchema.safeParse(record.json());
    if (!parsed.success) {
      this.logger.warn(
        { subject: record.subject, streamSequence: record.streamSequence },
        'message in TASKS is not a commit',
      );
      return;
    }
    this.apply({ commit: parsed.data, streamSequence: record.streamSequence, subject: record.subject });
  }

  apply(stored: StoredCommit): void {
    const { commit } = stored;
    const id = commit.aggregateId;
    const pending = this.loading.get(id);
    if (pending !== undefined) {
      pending.latest = stored;
      return;
    }
    const known = this.views.get(id);
    if (known !== undefined && commit.version <= known.version) return;
    if (commit.version === (known?.version ?? 0) + 1) {
      const next = foldTaskCommit(known, stored);
      if (next !== undefined) this.publish(next, known, stored.streamSequence);
      return;
    }
    this.views.delete(id);
    if (this.listenersOf(id)) this.reload(stored);
  }

  /** Every change of the tasks that match before or after it, newest state per task, until the signal aborts. */
  async *changes({ taskId, matches }: TaskFeedOptions, signal: AbortSignal): AsyncGenerator<TaskChange> {
    const { queue, leave } = this.subscribe({ matches, ...(taskId === undefined ? {} : { taskId }) });
    try {
      while (!signal.aborted) yield* await queue.drain(signal);
    } finally {
      leave();
    }
  }

  /** Starts to collect at once, so that nothing is missed between asking for the current state and reading the changes. */
  subscribe({ taskId, matches }: TaskFeedOptions): { queue: CoalescingQueue<TaskChange>; leave: () => void } {
    const subscriber: Subscriber = { queue: new CoalescingQueue<TaskChange>(), matches };
    const set = taskId === undefined ? this.all : (this.byTask.get(taskId) ?? new Set());
    if (taskId !== undefined) this.byTask.set(taskId, set);
    set.add(subscriber);
    const leave = () => {
      set.delete(subscriber);
      subscriber.queue.close();
      if (taskId !== undefined && set.size === 0 && this.byTask.get(taskId) === set) this.byTask.delete(taskId);
    };
    return { queue: subscriber.queue, leave };
  }

  /** A cheap look at every change, e.g. to know that numbers are out of date. */
  watch(watcher: (change: TaskChange) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private listenersOf(taskId: string): boolean {
    return this.all.size > 0 || this.watchers.size > 0 || this.byTask.has(taskId);
  }

  private reload(stored: StoredCommit): void {
    const entry = { latest: stored };
    this.loading.set(stored.commit.aggregateId, entry);
    void this.loadUntilCurrent(stored.commit.aggregateId, entry).finally(() => {
      if (this.loading.get(stored.commit.aggregateId) === entry) this.loading.delete(stored.commit.aggregateId);
    });
  }

  /** An outage only delays: subscribers would see a wrong picture if the change were left out. */
  private async loadUntilCurrent(id: string, entry: { latest: StoredCommit }): Promise<void> {
    for (let round = 0; round < MAX_LOAD_ROUNDS; round += 1) {
      if (round > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 50 * 2 ** round)).unref());
      try {
        const view = await this.load(id);
        const { latest } = entry;
        const current = latest.commit.version === view.version + 1 ? (foldTaskCommit(view, latest) ?? view) : view;
        if (current.version < latest.commit.version) continue;
        this.loading.delete(id);
        this.publish(current, undefined, latest.streamSequence);
        return;
      } catch (error) {
        if (error instanceof GantryError && error.kind === 'not_found') return;
        if (round + 1 === MAX_LOAD_ROUNDS)
          this.logger.warn({ taskId: id, err: error }, 'changed task could not be read');
      }
    }
  }

  private publish(task: TaskView, previous: TaskView | undefined, streamSequence: number): void {
    this.views.delete(task.id);
    this.views.set(task.id, task);
    if (this.views.size > MAX_VIEWS) this.views.delete(this.views.keys().next().value ?? task.id);
    const change: TaskChange = { task, previous, streamSequence };
    for (const watcher of this.watchers) watcher(change);
    for (const subscriber of this.all) offer(subscriber, change);
    for (const subscriber of this.byTask.get(task.id) ?? []) offer(subscriber, change);
  }
}

function offer({ queue, matches }: Subscriber, change: TaskChange): void {
  // Also who matched before gets it: that is how a list learns that a task left it.
  if (matches(change.task) || (change.previous !== undefined && matches(change.previous)))
    queue.push(change.task.id, change);
}
