import type { BitSet } from './bit-set.js';
import type { ColdRun } from './cold-run.js';
import { compareTasks, type QueuedTask } from './queued-task.js';
import type { Shape } from './shape.js';

/** So many of the cold ones are made tasks at once, before the first one's turn comes. */
const WARMED_AHEAD = 4;

/**
 * Waiting tasks of one shape in queue order, with what is known about where that shape fits. `candidates` holds every
 * worker that may fit; a search removes those that do not, and a worker that frees something comes back.
 */
export class TaskGroup {
  private tasks: QueuedTask[] = [];
  private head = 0;
  /** Those that are not in `tasks`; none of them comes before its first. */
  private cold: ColdRun | undefined;
  /** Position in the log of freed workers up to which `candidates` is right. */
  cursor = 0;

  constructor(
    readonly shape: Shape,
    readonly eligible: BitSet,
    readonly candidates: BitSet,
  ) {}

  get size(): number {
    return this.tasks.length - this.head + (this.cold?.size ?? 0);
  }

  get first(): QueuedTask | undefined {
    return this.tasks[this.head];
  }

  /** Only once. */
  addCold(cold: ColdRun): void {
    this.cold = cold;
    this.warm();
  }

  /** A cold one has become this task out of its turn. */
  thaw(task: QueuedTask): void {
    this.cold?.remove(task);
    this.add(task);
  }

  /** False if it is here already. */
  add(task: QueuedTask): boolean {
    const last = this.tasks[this.tasks.length - 1];
    if (last === undefined || compareTasks(last, task) < 0) {
      this.tasks.push(task);
      return true;
    }
    const position = this.positionOf(task);
    if (this.tasks[position]?.taskId === task.taskId) return false;
    this.tasks.splice(position, 0, task);
    return true;
  }

  remove(task: QueuedTask): boolean {
    const position = this.positionOf(task);
    if (this.tasks[position]?.taskId !== task.taskId) return false;
    if (position === this.head) this.removeFirst();
    else this.tasks.splice(position, 1);
    return true;
  }

  removeFirst(): void {
    this.head += 1;
    if (this.head === this.tasks.length) this.setTasks([]);
    // Give the memory of what was taken back now and then; amortised constant time.
    else if (this.head > 1_024 && this.head * 2 > this.tasks.length) this.setTasks(this.tasks.slice(this.head));
    this.warm();
  }

  has(task: QueuedTask): boolean {
    return this.tasks[this.positionOf(task)]?.taskId === task.taskId;
  }

  /** How many tasks of this group run before `task`. */
  before(task: QueuedTask): number {
    return this.positionOf(task) - this.head + (this.cold?.before(task) ?? 0);
  }

  /** The first `limit` are among them. */
  take(limit: number): QueuedTask[] {
    return [...this.tasks.slice(this.head, this.head + limit), ...(this.cold?.peek(limit) ?? [])];
  }

  private warm(): void {
    if (this.cold === undefined) return;
    const warmed = this.cold.takeBefore(this.first, WARMED_AHEAD);
    if (this.cold.size === 0) this.cold = undefined;
    if (warmed.length === 0) return;
    if (warmed.length > this.head) return this.setTasks([...warmed, ...this.tasks.slice(this.head)]);
    // Where those before them stood.
    this.head -= warmed.length;
    warmed.forEach((task, index) => (this.tasks[this.head + index] = task));
  }

  private setTasks(tasks: QueuedTask[]): void {
    this.tasks = tasks;
    this.head = 0;
  }

  private positionOf(task: QueuedTask): number {
    let low = this.head;
    let high = this.tasks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareTasks(this.tasks[middle]!, task) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
