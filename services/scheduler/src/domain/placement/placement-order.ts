import TinyQueue from 'tinyqueue';
import { compareTasks, type QueuedTask } from './queued-task.js';
import type { TaskGroup } from './task-group.js';
import type { WaitingTasks } from './waiting-tasks.js';

/** The next blocked group that a worker which freed something has room for, as it was found. */
interface Turn {
  readonly slot: number;
  readonly group: TaskGroup;
  readonly task: QueuedTask;
}

/**
 * Whose turn it is in one pass: the first task, in queue order, that may fit anywhere. That is the first of the ready groups, or of
 * the blocked ones that a freed worker has room for; only those whose turn really comes are woken. In a pass room gets less,
 * never more, so each worker goes through the blocked groups once, from the front.
 */
export class PlacementOrder {
  private readonly ready: TinyQueue<TaskGroup>;
  private readonly turns: TinyQueue<Turn>;

  constructor(private readonly waiting: WaitingTasks) {
    this.ready = new TinyQueue(waiting.readyGroups(), (a, b) => compareTasks(a.first!, b.first!));
    this.turns = new TinyQueue<Turn>([], (a, b) => compareTasks(a.task, b.task));
    for (const slot of [...waiting.freedWorkers]) this.plan(slot, waiting.firstBlocked(slot));
  }

  /** A ready group; the same one until it was `placed` or `blocked`. */
  next(): TaskGroup | undefined {
    for (;;) {
      const group = this.ready.peek();
      const turn = this.turns.peek();
      if (turn === undefined || (group !== undefined && compareTasks(group.first!, turn.task) < 0)) return group;
      this.turns.pop();
      this.take(turn);
    }
  }

  /** The first task of the group is placed. */
  placed(group: TaskGroup): void {
    this.waiting.removeFirst(group);
    this.ready.pop();
    if (group.size > 0) this.ready.push(group);
  }

  /** The group fits nowhere. */
  blocked(group: TaskGroup): void {
    this.waiting.block(group);
    this.ready.pop();
  }

  private take({ slot, group, task }: Turn): void {
    // What was placed since may have taken the room, and another worker may have woken the group.
    const first = this.waiting.firstBlocked(slot, task);
    if (first === group && group.first === task) {
      this.waiting.wake(group);
      this.ready.push(group);
      this.plan(slot, this.waiting.firstBlocked(slot, task));
    } else {
      this.plan(slot, first);
    }
  }

  private plan(slot: number, group: TaskGroup | undefined): void {
    if (group === undefined) this.waiting.exhaust(slot);
    else this.turns.push({ slot, group, task: group.first! });
  }
}
