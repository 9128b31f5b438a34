import TinyQueue from 'tinyqueue';
import type { TaskEntry } from './task-entry.js';

/** The time is kept beside the task: one that left and came back later is there twice, and only its newest stay counts. */
interface Stay {
  readonly entry: TaskEntry;
  readonly notBefore: number;
}

/** Tasks that are queued, but not before a time. A look at who is due costs nothing, however many wait. */
export class DelayedTasks {
  private readonly stays = new Map<TaskEntry, Stay>();
  private byTime = inOrder([]);

  add(entry: TaskEntry): void {
    const stay = { entry, notBefore: entry.notBefore };
    this.stays.set(entry, stay);
    this.byTime.push(stay);
  }

  delete(entry: TaskEntry): void {
    this.stays.delete(entry);
  }

  nextDueAt(): number | undefined {
    return this.first()?.notBefore;
  }

  /** Removes and answers those whose time has come. */
  takeDue(now: number): TaskEntry[] {
    const due: TaskEntry[] = [];
    for (let stay = this.first(); stay !== undefined && stay.notBefore <= now; stay = this.first()) {
      this.byTime.pop();
      this.stays.delete(stay.entry);
      due.push(stay.entry);
    }
    return due;
  }

  clockStepped(milliseconds: number): void {
    const entries = [...this.stays.keys()];
    this.stays.clear();
    for (const entry of entries) {
      entry.notBefore += milliseconds;
      this.stays.set(entry, { entry, notBefore: entry.notBefore });
    }
    this.byTime = inOrder([...this.stays.values()]);
  }

  private first(): Stay | undefined {
    for (;;) {
      const stay = this.byTime.peek();
      if (stay === undefined || this.stays.get(stay.entry) === stay) return stay;
      this.byTime.pop();
    }
  }
}

function inOrder(stays: Stay[]): TinyQueue<Stay> {
  return new TinyQueue(stays, (a, b) => a.notBefore - b.notBefore);
}
