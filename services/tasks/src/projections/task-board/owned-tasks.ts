import { taskStatuses, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { HeldTask } from './packed-task.js';

export type StatusCounts = Record<TaskStatus, number>;

/** The place of one task on the board. */
export interface BoardRow {
  task: HeldTask;
  /** Stream sequence of its only commit, if it has only been submitted so far. */
  submission: number | undefined;
  /** Neighbours among the tasks of the same owner. */
  previous: BoardRow | undefined;
  next: BoardRow | undefined;
}

/** The tasks of one owner, oldest row first: a chain through the rows, because one more map of a million ids costs a second at start. */
export class OwnedTasks {
  readonly counts = noTasks();
  /** How many of them are not in the chain but in the pages of the snapshot. */
  cold = 0;
  private first: BoardRow | undefined;
  private last: BoardRow | undefined;

  get isEmpty(): boolean {
    return this.first === undefined && this.cold === 0;
  }

  add(row: BoardRow): void {
    row.previous = this.last;
    if (this.last === undefined) this.first = row;
    else this.last.next = row;
    this.last = row;
  }

  remove(row: BoardRow): void {
    const { previous, next } = row;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    // Or the collector takes what is young behind an old row that is gone for alive.
    row.previous = row.next = undefined;
  }

  /** Without those that are `cold`. */
  *tasks(newestFirst: boolean): Generator<HeldTask> {
    for (let row = newestFirst ? this.last : this.first; row !== undefined; row = newestFirst ? row.previous : row.next)
      yield row.task;
  }
}

export function noTasks(): StatusCounts {
  return Object.fromEntries(taskStatuses.map((status) => [status, 0])) as StatusCounts;
}
