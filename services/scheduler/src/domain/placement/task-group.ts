import type { BitSet } from './bit-set.js';
import type { Shape } from './shape.js';

/** A task in the queue. Runs in order of priority (higher first), then `order` (position of its submission in history). */
export interface QueuedTask {
  readonly taskId: string;
  readonly shape: Shape;
  readonly priority: number;
  readonly order: number;
  readonly image: string;
  readonly avoidWorkerId: string | undefined;
}

export function compareTasks(a: QueuedTask, b: QueuedTask): number {
  return b.priority - a.priority || a.order - b.order || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}

/**
 * Waiting tasks of one shape in queue order, with what is known about where that shape fits. `candidates` holds every
 * worker that may fit; a search removes those that do not, and a worker that frees something comes back.
 */
export class TaskGroup {
  private tasks: QueuedTask[] = [];
  private head = 0;
  /** Position in the log of freed workers up to which `candidates` is right. */
  cursor = 0;

  constructor(
    readonly shape: Shape,
    readonly eligible: BitSet,
    readonly candidates: BitSet,
  ) {}

  get size(): number {
    return this.tasks.length - this.head;
  }

  get first(): QueuedTask | undefined {
    return this.tasks[this.head];
  }

  /** False if it is here already. */
  add(task: QueuedTask): boolean {
    const last = this.tasks[this.tasks.length - 1];
    if (this.size === 0 || last === undefined || compareTasks(last, task) < 0) {
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
    // Give the memory of what was taken back now and then; amortised constant time.
    if (this.head > 1_024 && this.head * 2 > this.tasks.length) {
      this.tasks = this.tasks.slice(this.head);
      this.head = 0;
    }
    if (this.size === 0) {
      this.tasks = [];
      this.head = 0;
    }
  }

  has(task: QueuedTask): boolean {
    return this.tasks[this.positionOf(task)]?.taskId === task.taskId;
  }

  /** How many tasks of this group run before `task`. */
  before(task: QueuedTask): number {
    return this.positionOf(task) - this.head;
  }

  take(limit: number): QueuedTask[] {
    return this.tasks.slice(this.head, this.head + limit);
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
