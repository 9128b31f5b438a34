/** One that led to nothing is told again after this: a process of an older version may have read it. */
const REPEAT_AFTER_MS = 30_000;

/** Cancelled tasks whose withdrawal was handed out and whose end TASKS has not shown yet. */
export class Withdrawals {
  private readonly toldAt = new Map<string, number>();

  told(taskId: string, now: number): void {
    this.toldAt.delete(taskId);
    this.toldAt.set(taskId, now);
  }

  forget(taskId: string): void {
    this.toldAt.delete(taskId);
  }

  /** Removes and answers those that were told too long ago. */
  takeOverdue(now: number): string[] {
    const overdue: string[] = [];
    for (const [taskId, at] of this.toldAt) {
      // In the order of their times: whoever is told again comes last.
      if (now - at < REPEAT_AFTER_MS) break;
      overdue.push(taskId);
    }
    for (const taskId of overdue) this.toldAt.delete(taskId);
    return overdue;
  }

  /** Removes and answers all: nobody knows which of them were stored. */
  takeAll(): string[] {
    const all = [...this.toldAt.keys()];
    this.toldAt.clear();
    return all;
  }

  clockStepped(milliseconds: number): void {
    for (const [taskId, at] of this.toldAt) this.toldAt.set(taskId, at + milliseconds);
  }
}
