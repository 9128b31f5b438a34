import { describe, expect, it } from 'vitest';
import { MARKER_WAIT_MS, withRefreshMarker } from './refresh-marker';

function setUp(now: number, left?: number) {
  const store = new Map<string, string>(left === undefined ? [] : [['gantry.refreshing-since', String(left)]]);
  const slept: number[] = [];
  const storage = {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
    removeItem: (key: string) => void store.delete(key),
  };
  const clock = { now: () => now, sleep: (ms: number) => (slept.push(ms), Promise.resolve()) };
  return { store, slept, storage, clock };
}

describe('withRefreshMarker', () => {
  it('waits for the answer that a page left behind', async () => {
    const { store, slept, storage, clock } = setUp(10_500, 10_000);
    expect(await withRefreshMarker(() => Promise.resolve('done'), storage, clock)).toBe('done');
    expect(slept).toEqual([MARKER_WAIT_MS - 500]);
    expect(store.size).toBe(0);
  });

  it('does not wait without a fresh marker', async () => {
    for (const left of [undefined, 10_000, 99_000]) {
      const { slept, storage, clock } = setUp(20_000, left);
      await withRefreshMarker(() => Promise.resolve(), storage, clock);
      expect(slept).toEqual([]);
    }
  });

  it('takes the marker away when the refresh fails', async () => {
    const { store, storage, clock } = setUp(1);
    await expect(withRefreshMarker(() => Promise.reject(new Error('no')), storage, clock)).rejects.toThrow('no');
    expect(store.size).toBe(0);
  });
});
