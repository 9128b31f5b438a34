import { describe, expect, it } from 'vitest';
import { followPause } from './retrying.js';

const pausesOf = (everConnected: boolean): number[] => {
  const pauses: number[] = [];
  for (let failures = 0; ; failures += 1) {
    const pause = followPause(failures, everConnected);
    if (pause === undefined) return pauses;
    pauses.push(pause);
  }
};

describe('a follower whose connection breaks', () => {
  it('outlasts the restart of a whole system once it was connected, and gives up at last', () => {
    const pauses = pausesOf(true);
    const total = pauses.reduce((sum, pause) => sum + pause, 0);
    expect(total / 2).toBeGreaterThan(120_000);
    expect(total).toBeLessThan(600_000);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  });

  it('says soon that nobody is there when it never was', () => {
    expect(pausesOf(false)).toEqual([100, 250, 500, 1_000, 2_000, 5_000]);
  });
});
