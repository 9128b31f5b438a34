/** Runs `work` soon after a request, never twice at once, and with at least `pauseMs` from start to start. The last request is never lost. */
export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private again = false;
  private lastStart = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly work: () => Promise<void>,
    private readonly pauseMs: number,
  ) {}

  request(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.lastStart + this.pauseMs - performance.now());
    this.timer = setTimeout(() => void this.run(), wait).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.again = false;
  }

  private async run(): Promise<void> {
    this.timer = undefined;
    this.running = true;
    this.again = false;
    this.lastStart = performance.now();
    try {
      await this.work();
    } finally {
      this.running = false;
      if (this.again) this.request();
    }
  }
}
