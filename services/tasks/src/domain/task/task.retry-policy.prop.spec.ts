import { MAX_MEMORY_MB } from '@gantry/contracts/resources';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryAfterOom } from './task.retry-policy.js';

const memory = fc.integer({ min: 8, max: MAX_MEMORY_MB });

it('memory never falls, grows by the factor at most, and beyond the limit only if it was there before', () => {
  fc.assert(
    fc.property(
      memory,
      fc.option(fc.double({ min: 1, max: 4, noNaN: true }), { nil: undefined }),
      fc.option(memory, { nil: undefined }),
      (before, retryMemoryFactor, retryMemoryMaxMb) => {
        const spec = {
          ...(retryMemoryFactor === undefined ? {} : { retryMemoryFactor }),
          ...(retryMemoryMaxMb === undefined ? {} : { retryMemoryMaxMb }),
        };
        const after = memoryAfterOom(before, spec);
        expect(Number.isInteger(after)).toBe(true);
        expect(after).toBeGreaterThanOrEqual(before);
        expect(after).toBeLessThanOrEqual(Math.ceil(before * (retryMemoryFactor ?? 1)));
        expect(after).toBeLessThanOrEqual(Math.max(before, retryMemoryMaxMb ?? MAX_MEMORY_MB));
      },
    ),
  );
});
