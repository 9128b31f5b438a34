import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';

interface Bucket {
  tokens: number;
  at: number;
}

const MAX_BUCKETS = 50_000;

/** Token buckets: `perMinute` calls at once, refilled evenly. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /** Throws when `key` has used up its calls. */
  take(key: string): void {
    const now = this.clock.now();
    const known = this.buckets.get(key);
    const tokens =
      known === undefined
        ? this.perMinute
        : Math.min(this.perMinute, known.tokens + ((now - known.at) * this.perMinute) / 60_000);
    this.buckets.delete(key);
    this.buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now });
    // The least recently used bucket is the fullest one, so that forgetting it gives away the least.
    if (this.buckets.size > MAX_BUCKETS) this.buckets.delete(this.buckets.keys().next().value ?? key);
    if (tokens >= 1) return;
    const seconds = Math.max(1, Math.ceil(((1 - tokens) * 60) / this.perMinute));
    throw new GantryError('LIMIT.TOO_MANY_REQUESTS', 'limit', `Too many requests. Try again in ${seconds} s.`, {
      retryable: true,
    });
  }
}
