import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { isTerminal, taskStatuses } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { TransientMap } from '@gantry/kernel/transient-map';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { ColdTasks } from './cold-tasks.js';
import { EndOrder } from './end-order.js';
import { noTasks, OwnedTasks, type BoardRow, type StatusCounts } from './owned-tasks.js';
import { unpackTask, type HeldTask, type PackedTask } from './packed-task.js';
import { QueuePositions } from './queue-positions.js';
import { listTasks, searchedFor } from './task-list.query.js';

export interface TaskBoardOptions {
  /** Ended tasks kept in memory; the oldest ends leave first. Default 10,000. */
  endedKept?: number;
}

/** A task of a snapshot. */
export interface BoardTask {
  readonly task: HeldTask;
  /** Stream sequence of its only commit, if it has only been submitted so far. */
  readonly submission: number | undefined;
}

/**
 * Every active task and the newest ended ones, folded from TASKS. Fed twice: by this process's own commands at once (so
 * that who wrote reads it), and by the stream; a commit that is known already changes nothing.
 */
export class TaskBoard {
  private readonly rows = new TransientMap<string, BoardRow>();
  private readonly cold = new ColdTasks();
  private readonly owners = new Map<string, OwnedTasks>();
  private readonly ended = new EndOrder();
  private readonly positions = new QueuePositions();
  /** Tasks deleted by an own command whose echo is still to come: older echoes must not bring them back. */
  private readonly deletedAt = new Map<string, number>();
  private readonly endedKept: number;

  constructor(options: TaskBoardOptions = {}) {
    this.endedKept = options.endedKept ?? 10_000;
  }

  /** Takes in a commit; answers the task's view after it, or undefined if the board does not hold the task. */
  absorb(stored: StoredCommit, source: 'own' | 'stream'): TaskView | undefined {
    const { commit, streamSequence } = stored;
    const id = commit.aggregateId;
    if (source === 'stream' && this.isEchoOfDeleted(id, streamSequence)) return undefined;
    const row = this.rowOf(id);
    const version = row?.task.version ?? 0;
    if (commit.version <= version) return row === undefined ? undefined : unpackTask(row.task);
    // A gap: the task was evicted, or another process's commit is still on its way through the stream. In the stream itself there is
    // one only where an administrator discarded a message.
    if (commit.version !== version + 1 && (row === undefined || source === 'own')) return undefined;
    const next = foldTaskCommit(row === undefined ? undefined : unpackTask(row.task), stored);
    if (next === undefined) return undefined;
    if (next.deleted) {
      if (row !== undefined) this.drop(row);
      if (source === 'own') this.deletedAt.set(id, streamSequence);
      return next;
    }
    const submission = next.version === 1 ? streamSequence : undefined;
    if (row === undefined) this.add(next, submission);
    else this.replace(row, next, submission);
    return next;
  }

  /** Stream sequence of the task's only commit; undefined if it has none or several. */
  submissionOf(taskId: string): number | undefined {
    const row = this.rows.get(taskId);
    if (row !== undefined) return row.submission;
    const cold = this.cold.find(taskId);
    return cold === undefined ? undefined : this.cold.submission(cold);
  }

  /**
   * What the board holds now, in the order in which a restore wants it back. `submission` is looked up when a task is asked for: it may
   * have moved on by then.
   */
  snapshot(): { readonly cold: Iterable<SnapshotEntry>; readonly tasks: Iterable<BoardTask> } {
    const captured: HeldTask[] = [];
    for (const { task } of this.rows.values()) if (!isTerminal(task.status)) captured.push(task);
    for (const id of this.ended.list()) captured.push(this.rows.get(id)!.task);
    const { rows } = this;
    const tasks = function* (): Generator<BoardTask> {
      for (const task of captured)
        yield { task, submission: task.version === 1 ? rows.get(task.id)?.submission : undefined };
    };
    return { cold: this.cold.captured(), tasks: tasks() };
  }

  /** Takes in those tasks of a page that only wait; true for a row that it has taken. */
  restoreWaiting(page: SnapshotPage): (row: number) => boolean {
    const { owners, isCold } = this.cold.add(page);
    for (const [ownerId, count] of owners) {
      const owned = this.ownedBy(ownerId);
      owned.cold += count;
      owned.counts.queued += count;
    }
    return isCold;
  }

  restore(task: PackedTask, submission: number | undefined): void {
    this.add(task, submission);
  }

  get(taskId: string): TaskView | undefined {
    const row = this.rows.get(taskId);
    if (row !== undefined) return unpackTask(row.task);
    const cold = this.cold.find(taskId);
    return cold === undefined ? undefined : unpackTask(this.cold.task(cold));
  }

  /** The newest tasks are looked at first if they are wanted first: then hardly any other one comes onto the page for a while. */
  list(input: TaskListInput): TaskView[] {
    const owner = input.visibleTo ?? input.filter.ownerId;
    const search = searchedFor(input.filter);
    const query = { owner, search, newestFirst: input.descending };
    const owners = owner === undefined ? this.owners.values() : [this.owners.get(owner)];
    const held = [...owners].flatMap((owned) => owned?.tasks(input.descending) ?? []);
    return listTasks([...held, this.cold.list(query)], input).map(unpackTask);
  }

  countByStatus(visibleTo: string | null): StatusCounts {
    if (visibleTo !== null) return { ...(this.owners.get(visibleTo)?.counts ?? noTasks()) };
    const total = noTasks();
    for (const { counts } of this.owners.values()) for (const status of taskStatuses) total[status] += counts[status];
    return total;
  }

  /** 1 = next; null if it does not wait, or is not here. */
  queuePosition(task: TaskView): number | null {
    if (task.status !== 'queued' || task.cancelRequestedAt !== null) return null;
    if (!this.rows.has(task.id) && this.cold.find(task.id) === undefined) return null;
    return this.positions.before(task) + this.cold.before(task.spec, task) + 1;
  }

  /** Ids of tasks that have not ended, as far as the board knows; some may leave while they are looked at. */
  *openIds(): Generator<string> {
    yield* this.cold.ids();
    for (const { task } of [...this.rows.values()]) if (!isTerminal(task.status)) yield task.id;
  }

  /** The board no longer tells of it. */
  forget(taskId: string): void {
    const row = this.rowOf(taskId);
    if (row !== undefined) this.drop(row);
  }

  get size(): number {
    return this.rows.size + this.cold.size;
  }

  private isEchoOfDeleted(id: string, streamSequence: number): boolean {
    const deletedAt = this.deletedAt.get(id);
    if (deletedAt === undefined) return false;
    if (streamSequence >= deletedAt) this.deletedAt.delete(id);
    return true;
  }

  /** Something is about to happen to the task: from now on it has a row. */
  private rowOf(id: string): BoardRow | undefined {
    const known = this.rows.get(id);
    if (known !== undefined) return known;
    const cold = this.cold.find(id);
    if (cold === undefined) return undefined;
    const task = this.cold.task(cold);
    const submission = this.cold.submission(cold);
    this.cold.take(cold);
    const owned = this.owners.get(task.ownerId)!;
    owned.cold -= 1;
    this.positions.add(task);
    return this.place(owned, task, submission);
  }

  private add(task: HeldTask, submission: number | undefined): void {
    const owned = this.ownedBy(task.ownerId);
    this.place(owned, task, submission);
    this.enter(owned, task);
  }

  private place(owned: OwnedTasks, task: HeldTask, submission: number | undefined): BoardRow {
    const row: BoardRow = { task, submission, previous: undefined, next: undefined };
    this.rows.set(task.id, row);
    owned.add(row);
    return row;
  }

  private ownedBy(ownerId: string): OwnedTasks {
    let owned = this.owners.get(ownerId);
    if (owned === undefined) this.owners.set(ownerId, (owned = new OwnedTasks()));
    return owned;
  }

  private replace(row: BoardRow, next: HeldTask, submission: number | undefined): void {
    const { task: known } = row;
    row.task = next;
    row.submission = submission;
    if (known.status === next.status) return;
    const owned = this.owners.get(next.ownerId)!;
    this.leave(owned, known);
    this.enter(owned, next);
  }

  private keepEnded(id: string): void {
    this.ended.add(id);
    if (this.ended.size <= this.endedKept) return;
    const oldest = this.ended.takeOldest();
    const row = oldest === undefined ? undefined : this.rows.get(oldest);
    if (row !== undefined) this.drop(row);
  }

  private drop(row: BoardRow): void {
    const { id, ownerId } = row.task;
    this.rows.delete(id);
    this.ended.delete(id);
    const owned = this.owners.get(ownerId)!;
    owned.remove(row);
    this.leave(owned, row.task);
    if (owned.isEmpty) this.owners.delete(ownerId);
  }

  private enter(owned: OwnedTasks, task: HeldTask): void {
    owned.counts[task.status] += 1;
    if (task.status === 'queued') this.positions.add(task);
    if (isTerminal(task.status)) this.keepEnded(task.id);
  }

  private leave(owned: OwnedTasks, task: HeldTask): void {
    owned.counts[task.status] -= 1;
    if (task.status === 'queued') this.positions.remove(task);
  }
}
