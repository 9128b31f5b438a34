import { GantryError } from '@gantry/kernel/gantry-error';

/**
 * Between a fast stream and one slow subscriber: keeps the newest value per key, in the order in which keys first
 * waited. Memory is bounded by `limit` keys; a subscriber that falls behind further gets an error and must subscribe
 * again, because leaving something out silently would make its picture wrong.
 */
export class CoalescingQueue<T> {
  private readonly waiting = new Map<string, T>();
  private wake: (() => void) | undefined;
  private closed = false;
  private failure: Error | undefined;

  constructor(private readonly limit = 5_000) {}

  push(key: string, value: T): void {
    if (this.closed) return;
    if (!this.waiting.has(key) && this.waiting.size >= this.limit) {
      this.fail(
        new GantryError(
          'LIMIT.SLOW_SUBSCRIBER',
          'limit',
          'Too many changes are waiting for you. Subscribe again and read faster.',
          { retryable: true },
        ),
      );
      return;
    }
    this.waiting.set(key, value);
    this.wake?.();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.close();
  }

  close(): void {
    this.closed = true;
    this.wake?.();
  }

  /** All that waits, at once; empty when the queue was closed. Waits for the first value. */
  async drain(signal: AbortSignal): Promise<T[]> {
    while (this.waiting.size === 0) {
      if (this.failure !== undefined) throw this.failure;
      if (this.closed || signal.aborted) return [];
      await this.changed(signal);
    }
    if (signal.aborted) return [];
    const values = [...this.waiting.values()];
    this.waiting.clear();
    return values;
  }

  get size(): number {
    return this.waiting.size;
  }

  private changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      this.wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
