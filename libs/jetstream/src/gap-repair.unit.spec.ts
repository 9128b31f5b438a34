import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GapRepair } from './gap-repair.js';

describe('the repair of gaps', () => {
  let told: string[];
  let during: () => void;
  let stop: AbortController;
  let gaps: GapRepair;

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    during = () => undefined;
    stop = new AbortController();
    gaps = new GapRepair({
      logger: { warn: () => void told.push('warning') },
      signal: stop.signal,
      repair: async () => {
        told.push('repair');
        during();
      },
      onGap: () => void told.push('gap'),
      onRepaired: () => void told.push('repaired'),
    });
  });

  afterEach(() => void vi.useRealTimers());

  const passTime = (): Promise<unknown> => vi.advanceTimersByTimeAsync(60_000);

  it('waits for the first end of the reading, and does nothing where there was none', async () => {
    await gaps.start();
    await passTime();
    expect(told).toEqual([]);
  });

  it('repairs many gaps at once', async () => {
    gaps.noticed();
    await passTime();
    expect(told).toEqual(['gap']);
    const started = gaps.start();
    gaps.noticed();
    await passTime();
    await started;
    expect(told).toEqual(['gap', 'gap', 'repair', 'repaired']);
  });

  it('repairs once more what it met meanwhile, before it says that all is well', async () => {
    await gaps.start();
    during = () => {
      during = () => undefined;
      gaps.noticed();
    };
    gaps.noticed();
    await passTime();
    expect(told).toEqual(['gap', 'repair', 'gap', 'repair', 'repaired']);
  });

  it('tries again what failed, until the end of the service', async () => {
    await gaps.start();
    during = () => {
      throw new Error('no broker');
    };
    gaps.noticed();
    await passTime();
    expect(told.filter((what) => what === 'repair').length).toBeGreaterThan(5);
    expect(told).not.toContain('repaired');
    stop.abort();
    told.length = 0;
    await passTime();
    expect(told).toEqual([]);
  });
});
