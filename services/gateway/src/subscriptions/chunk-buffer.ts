/** Chunks between the broker's reader and a client: at most `capacity`, then the reader waits. */
export class ChunkBuffer<T> {
  private readonly chunks: T[] = [];
  private readonly room: (() => void)[] = [];
  private waiter: (() => void) | undefined;
  private woken = false;
  private failure: { reason: unknown } | undefined;
  /** All that was stored when reading began has been put. */
  private reachedEnd = false;

  constructor(private readonly capacity = 16) {}

  put(chunk: T, signal: AbortSignal): void | Promise<void> {
    this.chunks.push(chunk);
    this.wake();
    if (this.chunks.length < this.capacity) return;
    return new Promise((resolve) => {
      const resume = () => {
        signal.removeEventListener('abort', resume);
        resolve();
      };
      this.room.push(resume);
      signal.addEventListener('abort', resume, { once: true });
    });
  }

  markCaughtUp(): void {
    this.reachedEnd = true;
    this.wake();
  }

  fail(reason: unknown): void {
    this.failure = { reason };
    this.wake();
  }

  get caughtUp(): boolean {
    return this.reachedEnd && this.chunks.length === 0;
  }

  /** Something else than a chunk happened; not lost when nobody waits just now. */
  wake(): void {
    if (this.waiter === undefined) this.woken = true;
    else this.waiter();
  }

  /** The next chunk, if one is here. Throws what made reading end, once everything before it was taken. */
  next(): T | undefined {
    this.woken = false;
    const chunk = this.chunks.shift();
    if (chunk === undefined && this.failure !== undefined) throw this.failure.reason;
    if (this.chunks.length < this.capacity) for (const resume of this.room.splice(0)) resume();
    return chunk;
  }

  /** Waits for a chunk, a wake-up since the last `next()`, the deadline (`performance.now()`), or the signal. */
  async news(signal: AbortSignal, deadline?: number): Promise<void> {
    if (this.chunks.length === 0 && !this.woken && this.failure === undefined) await this.wakeUp(signal, deadline);
  }

  private wakeUp(signal: AbortSignal, deadline: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiter = undefined;
        resolve();
      };
      const timer = deadline === undefined ? undefined : setTimeout(done, Math.max(0, deadline - performance.now()));
      this.waiter = done;
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
