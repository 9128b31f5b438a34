/** Which containers are known to have ended, and who waits to hear of it: asking the engine again costs it as much as a removal. */
export class ContainerEnds {
  private readonly ended = new Set<string>();
  private readonly waiting = new Map<string, Set<() => void>>();

  note(containerId: string): void {
    this.ended.add(containerId);
    for (const tell of this.waiting.get(containerId) ?? []) tell();
  }

  /** It is removed: nobody will ask again. */
  forget(containerId: string): void {
    this.ended.delete(containerId);
  }

  /** True as soon as it is known, false if that takes longer or the signal aborts. */
  within(containerId: string, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (this.ended.has(containerId) || signal.aborted) return Promise.resolve(!signal.aborted);
    return new Promise((resolve) => {
      const waiting = this.waiting.get(containerId) ?? new Set();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0) this.waiting.delete(containerId);
        resolve(this.ended.has(containerId) && !signal.aborted);
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done, { once: true });
      this.waiting.set(containerId, waiting.add(done));
    });
  }
}
