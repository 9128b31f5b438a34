import { BitSet } from './bit-set.js';
import type { Shape } from './shape.js';
import { TaskGroup, compareTasks, type QueuedTask } from './task-group.js';
import type { WorkerIndex } from './worker-index.js';

/** Workers that serve one queue with one set of labels. */
interface EligibilityClass {
  readonly demand: Pick<Shape, 'queue' | 'labels'>;
  readonly workers: BitSet;
  groups: number;
}

export interface QueueEntry {
  readonly task: QueuedTask;
  /** 1 = next of its queue. */
  readonly position: number;
}

/** What is known about shapes that nobody waits with is kept for so many, because the same shapes come again. */
const MAX_IDLE_GROUPS = 1_024;
const UNREAD_LIMIT = 65_536;

/**
 * The queue, grouped by shape. A shape that fitted nowhere is blocked and costs nothing until a worker frees something that
 * it could use; only then it becomes ready again.
 */
export class WaitingTasks {
  /** Tasks are found by their order within their group: one more map of all ids would be the dearest part of a start with a long queue. */
  private count = 0;
  private readonly groups = new Map<string, TaskGroup>();
  /** Non-empty groups. */
  private readonly active = new Set<TaskGroup>();
  private readonly ready = new Set<TaskGroup>();
  /** Empty groups, least recently used first. */
  private readonly idle = new Set<TaskGroup>();
  private readonly classes = new Map<string, EligibilityClass>();
  /** Slots in the order in which they freed something. */
  private freedLog: number[] = [];
  private freedBase = 0;
  /** Log position up to which all active groups have been brought up to date. */
  private seenFreed = 0;

  constructor(private readonly workers: WorkerIndex) {}

  get size(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.active.size > 0 && (this.ready.size > 0 || this.seenFreed < this.freedEnd);
  }

  add(task: QueuedTask): void {
    const group = this.groupFor(task.shape);
    if (group.size === 0) {
      this.idle.delete(group);
      this.active.add(group);
      this.catchUp(group);
      this.setReady(group);
    }
    // Otherwise a blocked shape stays blocked: one more task of it fits no better.
    if (group.add(task)) this.count += 1;
  }

  /** False if it does not wait (any more). */
  remove(task: QueuedTask): boolean {
    const group = this.groups.get(task.shape.key);
    if (group?.remove(task) !== true) return false;
    this.count -= 1;
    if (group.size === 0) this.retire(group);
    return true;
  }

  removeFirst(group: TaskGroup): void {
    group.removeFirst();
    this.count -= 1;
    if (group.size === 0) this.retire(group);
  }

  block(group: TaskGroup): void {
    group.ready = false;
    this.ready.delete(group);
  }

  /** Brings blocked groups up to date with what was freed since the last call. */
  readyGroups(): Iterable<TaskGroup> {
    const end = this.freedEnd;
    if (this.seenFreed < end) {
      const freed = [...new Set(this.freedLog.slice(this.seenFreed - this.freedBase))];
      for (const group of this.active) this.wake(group, freed, end);
      this.seenFreed = end;
      this.trimLog();
    }
    return this.ready;
  }

  noteFreed(slot: number): void {
    this.freedLog.push(slot);
    // Without waiting tasks, or on a standby that never decides, nobody reads the log: it must not grow for ever.
    if (this.active.size === 0) {
      this.seenFreed = this.freedEnd;
      this.trimLog();
    } else if (this.freedEnd - this.seenFreed > UNREAD_LIMIT) {
      this.readyGroups();
    }
  }

  noteIdentity(slot: number): void {
    for (const entry of this.classes.values()) {
      if (this.workers.serves(slot, entry.demand)) entry.workers.add(slot);
      else entry.workers.delete(slot);
    }
    // What groups know about this worker was about its old identity.
    for (const group of this.groups.values()) group.candidates.delete(slot);
    this.noteFreed(slot);
  }

  /** 1 = next of its queue; undefined if it does not wait. */
  position(task: QueuedTask): number | undefined {
    if (this.groups.get(task.shape.key)?.has(task) !== true) return undefined;
    let position = 1;
    for (const group of this.active) if (group.shape.queue === task.shape.queue) position += group.before(task);
    return position;
  }

  /** The first `limit` tasks over all queues, next first. */
  list(limit: number): QueueEntry[] {
    const candidates: QueuedTask[] = [];
    for (const group of this.active) candidates.push(...group.take(limit));
    candidates.sort(compareTasks);
    const counts = new Map<string, number>();
    return candidates.slice(0, limit).map((task) => {
      const position = (counts.get(task.shape.queue) ?? 0) + 1;
      counts.set(task.shape.queue, position);
      return { task, position };
    });
  }

  private get freedEnd(): number {
    return this.freedBase + this.freedLog.length;
  }

  private wake(group: TaskGroup, freed: readonly number[], end: number): void {
    group.cursor = end;
    const { candidates, eligible, ready, shape } = group;
    let fits = false;
    for (let at = 0; at < freed.length; at += 1) {
      const slot = freed[at]!;
      // The room is the cheaper question and mostly answered with no. A ready group needs no answer: it is searched anyway.
      if ((!ready && !this.workers.hasRoom(slot, shape)) || !eligible.has(slot)) continue;
      candidates.add(slot);
      fits = true;
    }
    if (fits && !ready) this.setReady(group);
  }

  private setReady(group: TaskGroup): void {
    group.ready = true;
    this.ready.add(group);
  }

  /** For a group that was idle: what was freed meanwhile, or everything if the log does not reach back that far. */
  private catchUp(group: TaskGroup): void {
    if (group.cursor < this.freedBase || this.freedEnd - group.cursor > this.workers.size) {
      group.candidates.copyFrom(group.eligible);
    } else {
      for (let at = group.cursor - this.freedBase; at < this.freedLog.length; at += 1) {
        const slot = this.freedLog[at]!;
        if (group.eligible.has(slot)) group.candidates.add(slot);
      }
    }
    group.cursor = this.freedEnd;
  }

  private trimLog(): void {
    const keep = Math.max(1_024, this.workers.size);
    if (this.freedLog.length < keep * 2) return;
    const drop = this.freedLog.length - keep;
    this.freedLog = this.freedLog.slice(drop);
    this.freedBase += drop;
  }

  private groupFor(shape: Shape): TaskGroup {
    const known = this.groups.get(shape.key);
    if (known !== undefined) return known;
    const { workers: eligible } = this.classFor(shape);
    const candidates = new BitSet(Math.max(1, this.workers.size));
    candidates.copyFrom(eligible);
    const group = new TaskGroup(shape, eligible, candidates);
    group.cursor = this.freedEnd;
    this.groups.set(shape.key, group);
    return group;
  }

  private classFor(shape: Shape): EligibilityClass {
    const key = classKey(shape);
    let entry = this.classes.get(key);
    if (entry === undefined) {
      entry = {
        demand: { queue: shape.queue, labels: shape.labels },
        workers: new BitSet(Math.max(1, this.workers.size)),
        groups: 0,
      };
      for (let slot = 0; slot < this.workers.size; slot += 1) {
        if (this.workers.serves(slot, shape)) entry.workers.add(slot);
      }
      this.classes.set(key, entry);
    }
    entry.groups += 1;
    return entry;
  }

  private retire(group: TaskGroup): void {
    this.active.delete(group);
    this.ready.delete(group);
    group.ready = false;
    this.idle.add(group);
    if (this.idle.size <= MAX_IDLE_GROUPS) return;
    const oldest = this.idle.values().next().value!;
    this.idle.delete(oldest);
    this.groups.delete(oldest.shape.key);
    const key = classKey(oldest.shape);
    const entry = this.classes.get(key)!;
    entry.groups -= 1;
    if (entry.groups === 0) this.classes.delete(key);
  }
}

function classKey(shape: Shape): string {
  return shape.labels.length === 0 ? shape.queue : `${shape.queue}|${JSON.stringify(shape.labels)}`;
}
