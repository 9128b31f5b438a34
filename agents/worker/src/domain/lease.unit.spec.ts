import { expect, it } from 'vitest';
import { checkLease } from './lease.js';

it('is over ten seconds before its end, and leaves time to kill', () => {
  expect(checkLease(0, 49_999, 60_000).over).toBe(false);
  expect(checkLease(0, 50_000, 60_000)).toEqual({ over: true, graceMs: 7_000 });
  expect(checkLease(0, 58_000, 60_000)).toEqual({ over: true, graceMs: 0 });
  expect(checkLease(0, 70_000, 60_000)).toEqual({ over: true, graceMs: 0 });
});

it('right after a start only what cannot wait for the broker is over', () => {
  expect(checkLease(0, 50_000, 60_000, true).over).toBe(false);
  expect(checkLease(0, 55_999, 60_000, true).over).toBe(false);
  expect(checkLease(0, 56_000, 60_000, true)).toEqual({ over: true, graceMs: 1_000 });
  expect(checkLease(0, 59_999, 60_000, true)).toEqual({ over: true, graceMs: 0 });
  expect(checkLease(0, 60_000, 60_000, true).over).toBe(false);
});
