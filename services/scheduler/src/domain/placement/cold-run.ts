import type { QueuedTask } from './queued-task.js';

/** Who holds what is not an object yet. */
export interface ColdSource {
  /** False once it was taken. */
  has(row: number): boolean;
  /** Makes the task; from now on it is one like any other. */
  take(row: number): QueuedTask;
  /** As it is, without taking it. */
  peek(row: number): QueuedTask;
}

/** Tasks of one priority, by order. */
export interface ColdStretch {
  readonly priority: number;
  readonly rows: readonly number[];
  readonly orders: readonly number[];
}

type Place = Pick<QueuedTask, 'priority' | 'order'>;

/** Positions of which it is counted together how many are gone. */
const BLOCK = 1_024;

/**
 * Waiting tasks of one shape in queue order that are numbers until their turn comes or somebody asks for them. `order` differs for
 * each task of one priority.
 */
export class ColdRun {
  private readonly rows: Int32Array;
  private readonly priorities: Int32Array;
  private readonly orders: Float64Array;
  private readonly goneInBlock: Uint16Array;
  private head = 0;
  private count: number;

  /** Highest priority first. */
  constructor(
    stretches: readonly ColdStretch[],
    private readonly source: ColdSource,
  ) {
    this.count = stretches.reduce((sum, { rows }) => sum + rows.length, 0);
    this.rows = new Int32Array(this.count);
    this.priorities = new Int32Array(this.count);
    this.orders = new Float64Array(this.count);
    this.goneInBlock = new Uint16Array(Math.ceil(this.count / BLOCK));
    let at = 0;
    for (const { priority, rows, orders } of stretches) {
      this.rows.set(rows, at);
      this.orders.set(orders, at);
      this.priorities.fill(priority, at, (at += rows.length));
    }
  }

  get size(): number {
    return this.count;
  }

  /** Makes tasks of the first ones, up to `limit`, that come before `task`. */
  takeBefore(task: Place | undefined, limit: number): QueuedTask[] {
    const taken: QueuedTask[] = [];
    for (; taken.length < limit && this.count > 0; this.head += 1) {
      const row = this.rows[this.head]!;
      if (!this.source.has(row)) continue;
      if (task !== undefined && this.compare(this.head, task) > 0) break;
      this.leave(this.head);
      taken.push(this.source.take(row));
    }
    return taken;
  }

  /** Somebody else makes a task of it, or has. */
  remove(task: Place): void {
    const position = this.positionOf(task);
    if (position < this.rows.length && this.compare(position, task) === 0) this.leave(position);
  }

  /** How many come before `task`, which need not be one of them. */
  before(task: Place): number {
    const position = this.positionOf(task);
    const block = Math.floor(position / BLOCK);
    let before = position;
    for (let earlier = 0; earlier < block; earlier += 1) before -= this.goneInBlock[earlier]!;
    for (let at = block * BLOCK; at < position; at += 1) if (!this.source.has(this.rows[at]!)) before -= 1;
    return before;
  }

  /** The first `limit`, as they are. */
  peek(limit: number): QueuedTask[] {
    const tasks: QueuedTask[] = [];
    for (let at = this.head; at < this.rows.length && tasks.length < limit; at += 1) {
      const row = this.rows[at]!;
      if (this.source.has(row)) tasks.push(this.source.peek(row));
    }
    return tasks;
  }

  private leave(position: number): void {
    this.goneInBlock[Math.floor(position / BLOCK)]! += 1;
    this.count -= 1;
  }

  private compare(position: number, { priority, order }: Place): number {
    return priority - this.priorities[position]! || this.orders[position]! - order;
  }

  private positionOf(task: Place): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, task) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
