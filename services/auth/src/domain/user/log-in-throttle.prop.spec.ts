import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addFailure, lockedUntil, throttle } from './log-in-throttle.js';

describe('log-in throttle', () => {
  it('leaves a guesser who tries as soon as allowed at most eleven tries in any window', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 50, maxLength: 200 }), (pauses) => {
        let failures: readonly number[] = [];
        let now = 0;
        const tries: number[] = [];
        for (const pause of pauses) {
          now = Math.max(now + pause, lockedUntil(failures));
          failures = addFailure(failures, now);
          tries.push(now);
        }
        for (const start of tries) {
          const inWindow = tries.filter((time) => time >= start && time < start + throttle.windowMs).length;
          expect(inWindow).toBeLessThanOrEqual(11);
        }
      }),
    );
  });
});
