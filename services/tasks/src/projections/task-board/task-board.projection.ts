import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { isTerminal, taskStatuses, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { EndOrder } from './end-order.js';
import { QueuePositions } from './queue-positions.js';
import { listTasks } from './task-list.query.js';

export type StatusCounts = Record<TaskStatus, number>;

export interface TaskBoardOptions {
  /** Ended tasks kept in memory; the oldest ends leave first. Default 10,000. */
  endedKept?: number;
}

/**
 * Every active task and the newest ended ones, folded from TASKS. Fed twice: by this process's own commands at once (so
 * that who wrote reads it), and by the stream; a commit that is known already changes nothing.
 */
export class TaskBoard {
  private readonly views = new Map<string, TaskView>();
  private readonly byOwner = new Map<string, Map<string, TaskView>>();
  private readonly counts = new Map<string, StatusCounts>();
  private readonly ended = new EndOrder();
  private readonly positions = new QueuePositions();
  /** Stream sequence of the one commit of tasks that have only been submitted so far. */
  private readonly submissions = new Map<string, number>();
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
    const known = this.views.get(id);
    const version = known?.version ?? 0;
    if (commit.version <= version) return known;
    // A gap: the task was evicted, or another process's commit is still on its way through the stream.
    if (commit.version !== version + 1) return undefined;
    const next = foldTaskCommit(known, stored);
    if (next === undefined) return undefined;
    if (next.deleted) {
      if (known !== undefined) this.drop(known);
      if (source === 'own') this.deletedAt.set(id, streamSequence);
      return next;
    }
    this.put(known, next);
    if (next.version === 1) this.submissions.set(id, streamSequence);
    else this.submissions.delete(id);
    return next;
  }

  /** Stream sequence of the task's only commit; undefined if it has none or several. */
  submissionOf(taskId: string): number | undefined {
    return this.submissions.get(taskId);
  }

  /** What the board holds now, in the order in which `restore` wants it back. */
  snapshot(): TaskView[] {
    const active = [...this.views.values()].filter(({ status }) => !isTerminal(status));
    for (const id of this.ended.list()) active.push(this.views.get(id)!);
    return active;
  }

  restore(view: TaskView, submission: number | undefined): void {
    this.put(undefined, view);
    if (submission !== undefined) this.submissions.set(view.id, submission);
  }

  get(taskId: string): TaskView | undefined {
    return this.views.get(taskId);
  }

  list(input: TaskListInput): TaskView[] {
    const owner = input.visibleTo ?? input.filter.ownerId;
    const candidates = owner === undefined ? this.views : this.byOwner.get(owner);
    return candidates === undefined ? [] : listTasks(candidates.values(), input);
  }

  countByStatus(visibleTo: string | null): StatusCounts {
    if (visibleTo !== null) return { ...(this.counts.get(visibleTo) ?? noTasks()) };
    const total = noTasks();
    for (const counts of this.counts.values()) for (const status of taskStatuses) total[status] += counts[status];
    return total;
  }

  queuePosition(task: TaskView): number | null {
    return task.status === 'queued' ? this.positions.positionOf(task) : null;
  }

  get size(): number {
    return this.views.size;
  }

  private isEchoOfDeleted(id: string, streamSequence: number): boolean {
    const deletedAt = this.deletedAt.get(id);
    if (deletedAt === undefined) return false;
    if (streamSequence >= deletedAt) this.deletedAt.delete(id);
    return true;
  }

  private put(known: TaskView | undefined, next: TaskView): void {
    const { id, ownerId, status } = next;
    this.views.set(id, next);
    let owned = this.byOwner.get(ownerId);
    if (owned === undefined) this.byOwner.set(ownerId, (owned = new Map<string, TaskView>()));
    owned.set(id, next);
    if (known?.status === status) return;
    if (known !== undefined) this.leave(known);
    let counts = this.counts.get(ownerId);
    if (counts === undefined) this.counts.set(ownerId, (counts = noTasks()));
    counts[status] += 1;
    if (status === 'queued') this.positions.add(next);
    if (isTerminal(status)) this.keepEnded(id);
  }

  private keepEnded(id: string): void {
    this.ended.add(id);
    if (this.ended.size <= this.endedKept) return;
    const oldest = this.ended.takeOldest();
    const view = oldest === undefined ? undefined : this.views.get(oldest);
    if (view !== undefined) this.drop(view);
  }

  private drop(view: TaskView): void {
    this.views.delete(view.id);
    this.submissions.delete(view.id);
    this.ended.delete(view.id);
    const owned = this.byOwner.get(view.ownerId);
    owned?.delete(view.id);
    this.leave(view);
    if (owned?.size === 0) {
      this.byOwner.delete(view.ownerId);
      this.counts.delete(view.ownerId);
    }
  }

  private leave(view: TaskView): void {
    const counts = this.counts.get(view.ownerId);
    if (counts !== undefined) counts[view.status] -= 1;
    if (view.status === 'queued') this.positions.remove(view);
  }
}

function noTasks(): StatusCounts {
  return { queued: 0, assigned: 0, starting: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, timed_out: 0 };
}
