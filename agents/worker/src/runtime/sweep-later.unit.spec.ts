import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sweepLater } from './sweep-later.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function engineBackAfter(failures: number) {
  const state = { calls: 0, errors: 0 };
  const sweep = async (): Promise<void> => {
    state.calls += 1;
    if (state.calls <= failures) throw new Error('socket hang up');
  };
  return { state, sweep, logger: { error: () => void (state.errors += 1) } };
}

it('goes on until the engine is back', async () => {
  const { state, sweep, logger } = engineBackAfter(3);
  const done = sweepLater(sweep, logger);
  await vi.runAllTimersAsync();
  await done;
  expect(state).toEqual({ calls: 4, errors: 0 });
});

it('gives up at some time, and says so once', async () => {
  const { state, sweep, logger } = engineBackAfter(Infinity);
  const done = sweepLater(sweep, logger);
  await vi.runAllTimersAsync();
  await done;
  expect(state).toEqual({ calls: 35, errors: 1 });
});
