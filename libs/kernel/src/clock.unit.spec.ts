import { expect, it } from 'vitest';
import { assertNever } from './assert-never.js';
import { ManualClock, systemClock } from './clock.js';
import { err, ok } from './result.js';

it('ManualClock moves only when told to', () => {
  const clock = new ManualClock(100);
  expect([clock.now(), clock.now()]).toEqual([100, 100]);
  clock.advance(50);
  expect(clock.now()).toBe(150);
});

it('systemClock is the time of day', () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

it('results carry a value or an error', () => {
  expect(ok(1)).toEqual({ ok: true, value: 1 });
  expect(err('no')).toEqual({ ok: false, error: 'no' });
});

it('assertNever names what it did not expect', () => {
  expect(() => assertNever({ kind: 'new' } as never, 'event')).toThrow('Unexpected event: {"kind":"new"}');
});
