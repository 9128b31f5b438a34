import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { unpackSpec } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent, TaskEventData } from '@gantry/contracts/tasks/task-events';
import { reservationFor } from '../ledger/reservation-ledger.js';
import type { Decision, PlacementEngine } from '../placement/placement-engine.js';
import { shapeOf } from '../placement/shape.js';
import { BoardEntries, queuedTaskOf } from './board-entries.js';
import type { BoardRest, RestoredEntry } from './board-snapshot.js';
import { DelayedTasks } from './delayed-tasks.js';
import { EarlyAssignments } from './early-assignments.js';
import { RestoredQueue } from './restored-queue.js';
import { isWithdrawn, Recalls } from './recalls.js';
import { newAssignment, specToRun, type Assignment, type TaskEntry } from './task-entry.js';

/**
 * Every open task with its assignment: the fold of TASKS and ASSIGN. Each event may come again, and the two streams may be
 * seen in any relative order; a reservation is held exactly while an attempt may use its worker.
 */
export class TaskBoard {
  private readonly entries: BoardEntries;
  private readonly delayed = new DelayedTasks();
  private readonly early = new EarlyAssignments();
  /** What is due to be said about attempts that must not run. */
  readonly recalls: Recalls;
  private readonly restoredQueue = new RestoredQueue();

  constructor(private readonly engine: PlacementEngine) {
    this.entries = new BoardEntries(engine.waiting);
    this.recalls = new Recalls(this.entries);
  }

  get(taskId: string): TaskEntry | undefined {
    return this.entries.get(taskId);
  }

  queuedAt(taskId: string): number | undefined {
    return this.entries.queuedAt(taskId);
  }

  get size(): number {
    return this.entries.size;
  }

  /** When the next delayed task is due. */
  nextDueAt(): number | undefined {
    return this.delayed.nextDueAt();
  }

  /** The time of day was set forward by so much; waits are durations and stay as long as they were. */
  clockStepped(milliseconds: number): void {
    this.delayed.clockStepped(milliseconds);
    for (const { assignment } of this.entries.touched())
      if (assignment?.lossReportedAt !== undefined) assignment.lossReportedAt += milliseconds;
    this.recalls.clockStepped(milliseconds);
  }

  releaseDue(now: number): void {
    for (const entry of this.delayed.takeDue(now)) this.queue(entry);
  }

  applyTaskCommit({ commit, streamSequence }: StoredCommit<TaskEvent>, now: number): void {
    const known = this.entries.get(commit.aggregateId);
    if (known !== undefined && commit.version <= known.version) return;
    for (const event of commit.events) this.applyTaskEvent(commit.aggregateId, event, streamSequence, now);
    const entry = this.entries.get(commit.aggregateId);
    if (entry !== undefined) entry.version = commit.version;
  }

  applyAssignCommit({ commit, streamSequence }: StoredCommit<AssignEvent>): void {
    for (const event of commit.events) {
      if (event.type === 'TaskAssigned') this.onAssigned(event.data, streamSequence);
      else if (event.type === 'AssignmentRevoked') this.onRevoked(commit.aggregateId, event.data, streamSequence);
    }
  }

  /** Takes a decision of the engine in: from now on the task has a worker, stored or not. */
  assign({ taskId, workerId, gpuIds }: Decision, workerName: string, leaseMs: number, now: number): TaskEntry {
    const entry = this.entries.get(taskId)!;
    entry.waiting = undefined;
    entry.assignment = newAssignment(
      { attempt: entry.attempt, workerId, workerName, gpuIds, assignedAt: now, leaseMs },
      undefined,
      false,
    );
    return entry;
  }

  /** The broker did not store the assignment: back into the queue. */
  refuse(taskId: string, attempt: number): void {
    const entry = this.entries.get(taskId);
    if (
      entry?.assignment === undefined ||
      entry.assignment.attempt !== attempt ||
      entry.assignment.sequence !== undefined
    )
      return;
    this.letGo(entry);
    if (entry.closed) this.dropClosed(entry);
    else if (entry.cancel === undefined) this.queue(entry);
  }

  /** For a new leader that has fenced every subject: what was on its way and has not been seen was never stored. */
  refuseUnstored(): void {
    const held = [...this.engine.ledger.tasks()];
    for (const taskId of held) {
      const assignment = this.entries.get(taskId)?.assignment;
      if (assignment !== undefined && assignment.sequence === undefined) this.refuse(taskId, assignment.attempt);
    }
    this.recalls.takeBack(held);
  }

  /**
   * Only ended tasks leave TASKS, each from its submission on: whatever is open here and has lost it ended unseen. `isRemoved`: of a sequence
   * of TASKS. Answers how many there were.
   */
  closeRemoved(isRemoved: (sequence: number) => boolean): number {
    const removed = [...this.entries.submitted()].filter(({ order }) => isRemoved(order));
    let closed = 0;
    for (const { taskId } of removed) {
      const entry = this.entries.get(taskId);
      if (entry === undefined || entry.closed) continue;
      this.close(entry, entry.assignment !== undefined);
      closed += 1;
    }
    return closed;
  }

  /** Frees what an ended task still holds, after its worker showed that it let go (or is gone itself). */
  dropClosed(entry: TaskEntry): void {
    this.letGo(entry);
    this.entries.delete(entry.taskId);
    this.recalls.forget(entry.taskId);
  }

  /**
   * The board as the two streams alone would show it. Entries are looked at when they are asked for, and may by then be newer than
   * this call: what the streams bring again changes nothing. `rest` is asked for last.
   */
  snapshot(): { entries: Iterable<SnapshotEntry>; rest: () => BoardRest } {
    const { recalls } = this;
    const entries = this.entries.snapshot((taskId) => recalls.isNoted(taskId));
    const early = this.early.list();
    const extra = recalls.listOthers();
    // What became due meanwhile may be missing from the tail, because an entry that is newer takes no notice of its cause.
    return { entries, rest: () => ({ early, extra: [...new Set([...extra, ...recalls.listOthers()])] }) };
  }

  /** Puts a page of `snapshot` into an empty board; what waits is queued by `endRestore`. */
  restore(page: SnapshotPage): void {
    for (const restored of this.entries.restore(page)) this.restoreEntry(restored);
  }

  endRestore({ early, extra }: BoardRest, now: number): void {
    for (const one of early) this.early.remember(one);
    this.recalls.restoreOthers(extra);
    this.entries.queueCold();
    for (const entry of this.restoredQueue.take()) this.queueWhenDue(entry, now);
  }

  private restoreEntry({ entry, assignment, attention }: RestoredEntry): void {
    this.entries.set(entry.taskId, entry);
    if (assignment !== undefined) this.hold(entry, assignment);
    else if (entry.cancel === undefined && !entry.closed) this.restoredQueue.add(entry);
    if (attention || (assignment === undefined && isWithdrawn(entry))) this.recalls.note(entry.taskId);
  }

  private applyTaskEvent(taskId: string, event: TaskEvent, sequence: number, now: number): void {
    if (event.type === 'TaskSubmitted') {
      if (this.entries.get(taskId) === undefined) this.submit(taskId, event.data, sequence);
      return;
    }
    const entry = this.entries.get(taskId);
    if (entry === undefined) return;
    switch (event.type) {
      case 'TaskAssigned':
        return this.record(entry, event.data);
      case 'TaskRequeued':
        return this.requeue(entry, event.data, now);
      case 'TaskCancelRequested':
        entry.cancel = { graceMs: event.data.graceMs };
        this.unqueue(entry);
        this.recalls.note(taskId);
        return;
      case 'TaskCancelled':
        return this.close(entry, entry.assignment !== undefined && !entry.assignment.recorded);
      case 'TaskSucceeded':
      case 'TaskFailed':
      case 'TaskTimedOut':
        return this.close(entry, entry.assignment !== undefined && entry.assignment.attempt > event.data.attempt);
      default:
    }
  }

  private submit(taskId: string, data: TaskEventData<'TaskSubmitted'>, order: number): void {
    const { ownerId, submittedAt } = data;
    const spec = specToRun(data.spec);
    const entry: TaskEntry = {
      taskId,
      ownerId,
      spec,
      shape: shapeOf(spec),
      order,
      version: 0,
      attempt: 1,
      queuedAt: submittedAt,
      notBefore: 0,
      avoidWorkerId: undefined,
      cancel: undefined,
      closed: false,
      assignment: undefined,
      waiting: undefined,
    };
    this.entries.set(taskId, entry);
    if (!this.takeEarly(entry)) this.queue(entry);
  }

  private record(entry: TaskEntry, data: TaskEventData<'TaskAssigned'>): void {
    entry.attempt = data.attempt;
    const { assignment } = entry;
    if (assignment?.attempt === data.attempt && assignment.workerId === data.workerId) {
      assignment.recorded = true;
      return;
    }
    this.unqueue(entry);
    if (assignment !== undefined) {
      // TASKS is the truth about which of two workers has the attempt.
      this.recalls.supersede(entry.taskId, assignment);
      this.letGo(entry);
    }
    this.hold(entry, newAssignment(data, 0, true));
    if (entry.cancel !== undefined) this.recalls.note(entry.taskId);
  }

  private requeue(entry: TaskEntry, data: TaskEventData<'TaskRequeued'>, now: number): void {
    if (entry.assignment !== undefined && entry.assignment.attempt <= data.endedAttempt) this.letGo(entry);
    entry.attempt = data.nextAttempt;
    entry.queuedAt = data.at;
    entry.notBefore = data.notBefore;
    entry.avoidWorkerId = data.avoidWorkerId;
    if (data.memoryMb !== undefined) {
      const spec = unpackSpec(entry.spec);
      entry.spec = { ...spec, resources: { ...spec.resources, memoryMb: data.memoryMb } };
      entry.shape = shapeOf(entry.spec);
    }
    this.unqueue(entry);
    if (entry.assignment !== undefined || this.takeEarly(entry)) return;
    if (entry.cancel !== undefined) return;
    this.queueWhenDue(entry, now);
  }

  /** Never waits for longer than was meant: whoever wrote the time may have had another clock, and ours may have been set since. */
  private queueWhenDue(entry: TaskEntry, now: number): void {
    entry.notBefore = Math.min(entry.notBefore, now + Math.max(0, entry.notBefore - entry.queuedAt));
    if (entry.notBefore > now) this.delayed.add(entry);
    else this.queue(entry);
  }

  private close(entry: TaskEntry, workerMayRunIt: boolean): void {
    this.unqueue(entry);
    this.early.forget(entry.taskId);
    entry.closed = true;
    if (workerMayRunIt) {
      this.recalls.note(entry.taskId);
      return;
    }
    this.dropClosed(entry);
  }

  private onAssigned(data: AssignEventData<'TaskAssigned'>, sequence: number): void {
    const entry = this.entries.get(data.taskId);
    if (entry === undefined || entry.attempt < data.attempt) {
      const loser = this.early.remember({ data, sequence });
      if (loser !== undefined) this.recalls.supersede(data.taskId, loser.data);
      return;
    }
    if (entry.attempt > data.attempt) return;
    const { assignment } = entry;
    if (assignment === undefined) {
      if (entry.closed) return;
      this.unqueue(entry);
      this.hold(entry, newAssignment(data, sequence, false));
      if (entry.cancel !== undefined) this.recalls.note(entry.taskId);
      return;
    }
    if (assignment.attempt !== data.attempt) return;
    if (assignment.workerId === data.workerId) {
      // Told twice, its place in the stream is the first one; 0 = none, because TASKS chose it before ASSIGN told of it.
      if (!assignment.sequence || sequence < assignment.sequence) assignment.sequence = sequence;
      return;
    }
    // Two workers were given the same attempt: the first one in the stream has it, unless TASKS already chose.
    const first = assignment.recorded || (assignment.sequence !== undefined && assignment.sequence < sequence);
    this.recalls.supersede(data.taskId, first ? data : assignment);
    if (first) return;
    this.letGo(entry);
    this.hold(entry, newAssignment(data, sequence, false));
  }

  private onRevoked(workerId: string, data: AssignEventData<'AssignmentRevoked'>, sequence: number): void {
    const assignment = this.entries.get(data.taskId)?.assignment;
    if (assignment?.attempt === data.attempt && assignment.workerId === workerId) assignment.revoked = { sequence };
  }

  private takeEarly(entry: TaskEntry): boolean {
    const found = this.early.take(entry.taskId, entry.attempt);
    if (found === undefined) return false;
    this.hold(entry, newAssignment(found.data, found.sequence, false));
    return true;
  }

  private queue(entry: TaskEntry): void {
    entry.waiting = queuedTaskOf(entry);
    this.engine.waiting.add(entry.waiting);
  }

  private unqueue(entry: TaskEntry): void {
    this.delayed.delete(entry);
    if (entry.waiting !== undefined) this.engine.waiting.remove(entry.waiting);
    entry.waiting = undefined;
  }

  private hold(entry: TaskEntry, assignment: Assignment): void {
    entry.assignment = assignment;
    const { taskId, shape } = entry;
    this.engine.reserve(
      reservationFor({ taskId, attempt: assignment.attempt }, shape, assignment.workerId, assignment.gpuIds),
    );
  }

  private letGo(entry: TaskEntry): void {
    if (entry.assignment === undefined) return;
    this.engine.release(entry.taskId, entry.assignment.attempt);
    entry.assignment = undefined;
  }
}
