import { describe, expect, it } from 'vitest';
import { addFailure, lockedUntil, throttle } from './log-in-throttle.js';

const failuresAt = (...times: number[]): readonly number[] =>
  times.reduce<readonly number[]>((all, at) => addFailure(all, at), []);

describe('log-in throttle', () => {
  it('lets four failures pass', () => {
    expect(lockedUntil(failuresAt(1, 2, 3, 4))).toBe(0);
  });

  it('locks at the fifth failure and doubles with each further one, up to the longest lock', () => {
    const now = 1_000_000;
    const locks = [5, 6, 7, 8, 9, 10, 11, 12].map(
      (count) => lockedUntil(failuresAt(...Array<number>(count).fill(now))) - now,
    );
    expect(locks).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
  });

  it('forgets failures that left the window', () => {
    const failures = failuresAt(0, 1, 2, 3, throttle.windowMs + 2);
    expect(failures).toEqual([3, throttle.windowMs + 2]);
    expect(lockedUntil(failures)).toBe(0);
  });
});
