/** Engines start containers slower the more start at once: this lets a few start and keeps the rest in order. */
export class StartSlots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.free = slots;
  }

  /** Resolves to the function that gives the slot back (once), or to undefined if the signal aborts first. */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const take = (): void => {
        signal.removeEventListener('abort', leave);
        this.free -= 1;
        let held = true;
        resolve(() => {
          if (!held) return;
          held = false;
          this.free += 1;
          this.waiting.shift()?.();
        });
      };
      const leave = (): void => {
        const at = this.waiting.indexOf(take);
        if (at >= 0) this.waiting.splice(at, 1);
        resolve(undefined);
      };
      if (this.free > 0) {
        take();
        return;
      }
      this.waiting.push(take);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
