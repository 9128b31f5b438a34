import { TransientMap } from '@gantry/kernel/transient-map';
import { TransientSet } from '@gantry/kernel/transient-set';
import { BitSet } from './bit-set.js';
import { BlockedGroups } from './blocked-groups.js';
import type { ColdRun } from './cold-run.js';
import type { Shape } from './shape.js';
import { compareTasks, type QueuedTask } from './queued-task.js';
import { TaskGroup } from './task-group.js';
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

/**
 * The queue, grouped by shape. A shape that fitted nowhere is blocked and costs nothing until its turn comes on a worker that
 * has freed something since: until then it fits nowhere else either. `PlacementOrder` says whose turn it is.
 */
export class WaitingTasks {
  /** Tasks are found by their order within their group: one more map of all ids would be the dearest part of a start with a long queue. */
  private count = 0;
  private readonly groups = new TransientMap<string, TaskGroup>();
  /** Non-empty groups. */
  private readonly active = new TransientSet<TaskGroup>();
  /** Active groups that may fit anywhere among their candidates. All other active ones are blocked. */
  private readonly ready = new TransientSet<TaskGroup>();
  private readonly blocked = new BlockedGroups();
  /** Workers that freed something, and that a blocked group may fit. */
  private readonly freed = new TransientSet<number>();
  /** Empty groups, least recently used first. */
  private readonly idle = new TransientSet<TaskGroup>();
  private readonly classes = new Map<string, EligibilityClass>();
  /** Slots in the order in which they freed something: what groups that nobody waits with have missed. */
  private freedLog: number[] = [];
  private freedBase = 0;

  constructor(private readonly workers: WorkerIndex) {}

  get size(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.active.size > 0 && (this.ready.size > 0 || this.freed.size > 0);
  }

  add(task: QueuedTask): void {
    const group = this.groupFor(task.shape);
    if (group.size === 0) this.activate(group);
    // Otherwise a blocked shape stays blocked: one more task of it fits no better.
    if (!group.add(task)) return;
    this.count += 1;
    this.blocked.refile(group);
  }

  /** Only of a shape that nobody waits with yet. */
  addCold(shape: Shape, cold: ColdRun): void {
    const group = this.groupFor(shape);
    this.activate(group);
    this.count += cold.size;
    group.addCold(cold);
  }

  /** A cold one has become this task out of its turn, and waits on. */
  thaw(task: QueuedTask): void {
    this.groups.get(task.shape.key)?.thaw(task);
  }

  /** False if it does not wait (any more). */
  remove(task: QueuedTask): boolean {
    const group = this.groups.get(task.shape.key);
    if (group?.remove(task) !== true) return false;
    this.count -= 1;
    if (group.size === 0) this.retire(group);
    else this.blocked.refile(group);
    return true;
  }

  removeFirst(group: TaskGroup): void {
    group.removeFirst();
    this.count -= 1;
    if (group.size === 0) this.retire(group);
  }

  /** It fits nowhere now. */
  block(group: TaskGroup): void {
    this.ready.delete(group);
    this.blocked.add(group);
  }

  /** Ready groups, brought up to date with what was freed since the last call. */
  readyGroups(): TaskGroup[] {
    const groups = [...this.ready];
    for (const group of groups) this.catchUp(group);
    return groups;
  }

  get freedWorkers(): Iterable<number> {
    return this.freed;
  }

  /** The first blocked group that fits this worker; not before `from`, if given. */
  firstBlocked(slot: number, from?: QueuedTask): TaskGroup | undefined {
    const room = this.workers.roomOf(slot);
    if (room === undefined) return undefined;
    return this.blocked.first(
      room,
      ({ shape, eligible }) => eligible.has(slot) && this.workers.hasRoom(slot, shape),
      from,
    );
  }

  /** Nothing blocked fits this worker until it frees something. */
  exhaust(slot: number): void {
    this.freed.delete(slot);
  }

  /** A blocked group becomes ready: of all workers only those that freed something since can have room for it. */
  wake(group: TaskGroup): void {
    this.blocked.delete(group);
    for (const slot of this.freed)
      if (group.eligible.has(slot) && this.workers.hasRoom(slot, group.shape)) group.candidates.add(slot);
    group.cursor = this.freedEnd;
    this.ready.add(group);
  }

  noteFreed(slot: number): void {
    this.freedLog.push(slot);
    this.trimLog();
    if (this.active.size === 0) this.freed.clear();
    else this.freed.add(slot);
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

  private activate(group: TaskGroup): void {
    this.idle.delete(group);
    this.active.add(group);
    this.catchUp(group);
    this.ready.add(group);
  }

  private get freedEnd(): number {
    return this.freedBase + this.freedLog.length;
  }

  /** For a group that nobody waited with, or that was not searched yet: what was freed meanwhile, or everything if the log does not reach back that far. */
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
    this.blocked.delete(group);
    this.idle.add(group);
    if (this.idle.size <= MAX_IDLE_GROUPS) return;
    const oldest = this.idle[Symbol.iterator]().next().value!;
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
