import { TransientMap } from '@gantry/kernel/transient-map';
/** Wakes who waits until the assignment of a task has been recorded (or anything else happened to the task). */
export class AssignmentSignal {
  private readonly waiting = new TransientMap<string, Set<() => void>>();

  /** Resolves at the next `notify` for the task, at the latest after `timeoutMs`. */
  wait(taskId: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        const others = this.waiting.get(taskId);
        others?.delete(done);
        if (others?.size === 0) this.waiting.delete(taskId);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const others = this.waiting.get(taskId);
      if (others === undefined) this.waiting.set(taskId, new Set([done]));
      else others.add(done);
    });
  }

  notify(taskId: string): void {
    const waiting = this.waiting.get(taskId);
    if (waiting !== undefined) for (const wake of [...waiting]) wake();
  }
}
