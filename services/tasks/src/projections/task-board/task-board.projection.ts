import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { isTerminal, taskStatuses } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { TransientMap } from '@gantry/kernel/transient-map';
import { EndOrder } from './end-order.js';
import { noTasks, OwnedTasks, type BoardRow, type StatusCounts } from './owned-tasks.js';
import { unpackTask, type HeldTask, type PackedTask } from './packed-task.js';
import { QueuePositions } from './queue-positions.js';
import { listTasks } from './task-list.query.js';

export interface TaskBoardOptions {
  /** Ended tasks kept in memory; the oldest ends leave first. Default 10,000. */
  endedKept?: number;
}

/**
 * Every active task and the newest ended ones, folded from TASKS. Fed twice: by this process's own commands at once (so
 * that who wrote reads it), and by the stream; a commit that is known already changes nothing.
 */
export class TaskBoard {
  private readonly rows = new TransientMap<string, BoardRow>();
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
    const row = this.rows.get(id);
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
    return this.rows.get(taskId)?.submission;
  }

  /** What the board holds now, in the order in which `restore` wants it back. */
  snapshot(): HeldTask[] {
    const tasks: HeldTask[] = [];
    for (const { task } of this.rows.values()) if (!isTerminal(task.status)) tasks.push(task);
    for (const id of this.ended.list()) tasks.push(this.rows.get(id)!.task);
    return tasks;
  }

  restore(task: PackedTask, submission: number | undefined): void {
    this.add(task, submission);
  }

  get(taskId: string): TaskView | undefined {
    const row = this.rows.get(taskId);
    return row === undefined ? undefined : unpackTask(row.task);
  }

  list(input: TaskListInput): TaskView[] {
    const owner = input.visibleTo ?? input.filter.ownerId;
    const candidates = owner === undefined ? this.tasks() : this.owners.get(owner)?.tasks();
    return candidates === undefined ? [] : listTasks(candidates, input).map(unpackTask);
  }

  countByStatus(visibleTo: string | null): StatusCounts {
    if (visibleTo !== null) return { ...(this.owners.get(visibleTo)?.counts ?? noTasks()) };
    const total = noTasks();
    for (const { counts } of this.owners.values()) for (const status of taskStatuses) total[status] += counts[status];
    return total;
  }

  queuePosition(task: TaskView): number | null {
    return task.status === 'queued' && task.cancelRequestedAt === null ? this.positions.positionOf(task) : null;
  }

  get size(): number {
    return this.rows.size;
  }

  private isEchoOfDeleted(id: string, streamSequence: number): boolean {
    const deletedAt = this.deletedAt.get(id);
    if (deletedAt === undefined) return false;
    if (streamSequence >= deletedAt) this.deletedAt.delete(id);
    return true;
  }

  private *tasks(): Generator<HeldTask> {
    for (const { task } of this.rows.values()) yield task;
  }

  private add(task: HeldTask, submission: number | undefined): void {
    const row: BoardRow = { task, submission, previous: undefined, next: undefined };
    this.rows.set(task.id, row);
    let owned = this.owners.get(task.ownerId);
    if (owned === undefined) this.owners.set(task.ownerId, (owned = new OwnedTasks()));
    owned.add(row);
    this.enter(owned, task);
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
