import { ManualClock } from '@gantry/kernel/clock';
import { describe, expect, it } from 'vitest';
import { ranForMs } from './run-time.js';

describe('how long an attempt has run', () => {
  const world = (bootId: string | undefined = 'boot') => {
    const clock = new ManualClock();
    const boot = { bootId, at: 1_000_000, now: () => boot.at };
    let noted: { id: string; at: number } | undefined;
    const store = {
      startOnBoot: () => noted,
      saveStartOnBoot: (_key: string, start: { id: string; at: number }) => void (noted = start),
    };
    const ran = (startedAt: number, startedBefore: boolean): number =>
      ranForMs('key', startedAt, startedBefore, { store, clock, bootClock: boot });
    const pass = (milliseconds: number): void => {
      clock.advance(milliseconds);
      boot.at += milliseconds;
    };
    return { clock, boot, ran, pass };
  };

  it.each([7_200_000, -7_200_000])('does not depend on a clock that is set by %i ms', (step) => {
    const { clock, ran, pass } = world();
    const startedAt = clock.now();
    clock.advance(step);
    expect(ran(startedAt, false)).toBe(0);
    pass(5_000);
    clock.advance(step);
    expect(ran(startedAt, true)).toBe(5_000);
  });

  it('goes by the time of day for what was not noted, or in another boot', () => {
    const { clock, boot, ran, pass } = world();
    const startedAt = clock.now();
    pass(3_000);
    expect(ran(startedAt, true)).toBe(3_000);
    boot.bootId = 'next';
    boot.at = 0;
    expect(ran(startedAt, true)).toBe(3_000);
    expect(ran(startedAt + 10_000, true)).toBe(3_000);
  });

  it('is never negative', () => {
    const { clock, ran } = world();
    expect(ran(clock.now() + 60_000, true)).toBe(0);
  });
});
