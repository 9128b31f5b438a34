import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransientMap } from './transient-map.js';
import { TransientSet } from './transient-set.js';

const keys = fc.integer({ min: 0, max: 60 });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key: keys, value: fc.integer() }),
    fc.record({ kind: fc.constant('delete' as const), key: keys }),
    fc.record({ kind: fc.constant('get' as const), key: keys }),
  ),
  { maxLength: 1_000, size: 'max' },
);

describe('TransientMap', () => {
  it('is a map, however much has passed through it', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const map = new TransientMap<number, number>();
        const model = new Map<number, number>();
        for (const step of taken) {
          if (step.kind === 'set') {
            map.set(step.key, step.value);
            model.set(step.key, step.value);
          } else if (step.kind === 'delete') {
            expect(map.delete(step.key)).toBe(model.delete(step.key));
          } else {
            expect(map.get(step.key)).toBe(model.get(step.key));
            expect(map.has(step.key)).toBe(model.has(step.key));
          }
          expect(map.size).toBe(model.size);
        }
        expect([...map]).toEqual([...model]);
        expect([...map.keys()]).toEqual([...model.keys()]);
        expect([...map.values()]).toEqual([...model.values()]);
      }),
    );
  });

  it('may be emptied while somebody walks over it', () => {
    const map = new TransientMap<number, string>();
    for (let key = 0; key < 100; key += 1) map.set(key, 'x');
    for (const [key] of map) map.delete(key);
    expect(map.size).toBe(0);
  });

  it('lets go of what has left it at the next young collection', async () => {
    setFlagsFromString('--expose-gc');
    const collectAll = runInNewContext('gc') as () => void;
    let full = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries() as (PerformanceEntry & { detail: { kind: number } })[]) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1;
      }
    });
    const map = new TransientMap<number, unknown>();
    const pass = (first: number, count: number): void => {
      for (let key = first; key < first + count; key += 1) {
        map.set(key, new Array(1_000).fill(key));
        map.delete(key - 30);
      }
    };
    pass(0, 100);
    // Moves the table of the moment among the old objects.
    collectAll();
    observer.observe({ entryTypes: ['gc'] });
    const before = oldBytes();
    pass(100, 20_000);
    const grown = oldBytes() - before;
    await new Promise((resolve) => setTimeout(resolve, 20));
    observer.disconnect();
    // 160 MB have passed. A plain map lets nine tenths of that become old, which full collections have to take back.
    expect(full).toBe(0);
    expect(grown).toBeLessThan(16_000_000);
  });
});

describe('TransientSet', () => {
  it('holds what was added and not deleted, in that order', () => {
    const set = new TransientSet<string>();
    for (let at = 0; at < 500; at += 1) {
      set.add(`value ${at}`).add(`value ${at}`);
      if (at >= 3) expect(set.delete(`value ${at - 3}`)).toBe(true);
    }
    expect([...set]).toEqual(['value 497', 'value 498', 'value 499']);
    expect(set.size).toBe(3);
    expect(set.has('value 498')).toBe(true);
    expect(set.has('value 3')).toBe(false);
    expect(set.delete('value 3')).toBe(false);
  });
});

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')!.space_used_size;
}
