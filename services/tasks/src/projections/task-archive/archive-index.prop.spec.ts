import { archiveHash } from '@gantry/contracts/tasks/archive-segment';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchiveIndex } from './archive-index.js';

describe('the index of archived tasks', () => {
  it('answers like a map of sets, whatever is added how often', () => {
    const entry = fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 50 }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3_000 }), (entries) => {
        const index = new ArchiveIndex();
        const expected = new Map<number, Set<number>>();
        for (const [task, segment] of entries) {
          index.add(archiveHash(`task-${task}`), segment);
          const known = expected.get(task);
          if (known === undefined) expected.set(task, new Set([segment]));
          else known.add(segment);
        }
        for (let task = 0; task <= 401; task += 1) {
          const found = index.find(archiveHash(`task-${task}`));
          expect(found).toEqual([...(expected.get(task) ?? [])].sort((a, b) => a - b));
        }
        expect(index.size).toBe([...expected.values()].reduce((sum, { size }) => sum + size, 0));
      }),
      { numRuns: 30 },
    );
  });

  it('tells tasks apart whose hashes share their first bytes', () => {
    const index = new ArchiveIndex();
    const near = (last: number): Uint8Array => Uint8Array.from([1, 2, 3, 4, 5, 6, 7, last]);
    for (let last = 0; last < 256; last += 1) index.add(near(last), last + 1);
    for (let last = 0; last < 256; last += 1) expect(index.find(near(last))).toEqual([last + 1]);
    index.clear();
    expect(index.find(near(1))).toEqual([]);
    expect(index.size).toBe(0);
  });

  it('takes at most 24 bytes a task', () => {
    const index = new ArchiveIndex();
    for (let task = 0; task < 200_000; task += 1) index.add(archiveHash(String(task)), 1 + (task >> 9));
    expect(index.size).toBe(200_000);
    expect(index.bytes / index.size).toBeLessThanOrEqual(24);
  });
});
