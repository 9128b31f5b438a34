import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ColdEntries, inPage } from './cold-entries.js';
import type { SnapshotEntry } from './snapshot-entry.js';
import { pagesOf } from './testing/pages-of.js';

const entryOf = (key: string): SnapshotEntry => ({ key, numbers: [], shared: [], texts: [`text of ${key}`] });
const keyOf = (entries: ColdEntries, row: number): string => entries.pageOf(row).key(inPage(row));

function keysOfPages(entries: ColdEntries, newestFirst: boolean): string[][] {
  return [...entries.pagesWithRows(newestFirst)].map(({ page, present, firstRow }) => {
    const rows = [...present.keys()].filter((row) => present[row] === 1);
    for (const row of rows) expect(keyOf(entries, firstRow + row)).toBe(page.key(row));
    return rows.map((row) => page.key(row));
  });
}

it('answers like a map that its entries are taken from, whatever is looked for and in whatever order they go', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ maxLength: 8 }), { maxLength: 60, size: 'max' }),
      fc.array(fc.nat(80), { maxLength: 80, size: 'max' }),
      fc.nat(80),
      (keys, picks, capturedAfter) => {
        const entries = new ColdEntries();
        // Every third one is somebody else's.
        const isCold = (key: string): boolean => keys.indexOf(key) % 3 !== 2;
        for (const page of pagesOf(keys.map(entryOf), 5)) {
          const count = entries.add(page, (row) => isCold(page.key(row)));
          expect(count).toBe(Array.from({ length: page.size }, (_, row) => page.key(row)).filter(isCold).length);
        }
        const model = new Set(keys.filter(isCold));
        let captured: Iterable<{ key: string; stillHere: boolean }> = [];
        let expected: string[] = [];
        picks.forEach((pick, at) => {
          if (at === capturedAfter) {
            const rows = entries.captured();
            captured = (function* () {
              for (const { page, inPage: place, row } of rows)
                yield { key: page.key(place), stillHere: entries.has(row) };
            })();
            expected = [...model];
          }
          const key = keys[pick] ?? `absent ${pick}`;
          const row = entries.find(key);
          expect(row !== undefined).toBe(model.has(key));
          if (row === undefined) return;
          expect(keyOf(entries, row)).toBe(key);
          expect(entries.pageOf(row).text(0, inPage(row))).toBe(`text of ${key}`);
          entries.take(row);
          model.delete(key);
          expect(entries.has(row)).toBe(false);
        });
        expect(entries.size).toBe(model.size);
        expect(keysOfPages(entries, false).flat()).toEqual([...model]);
        expect(keysOfPages(entries, true).reverse().flat()).toEqual([...model]);
        expect([...captured]).toEqual(expected.map((key) => ({ key, stillHere: model.has(key) })));
      },
    ),
    { numRuns: 500 },
  );
});

it('finds all of a hundred thousand, and none of as many others', () => {
  const entries = new ColdEntries();
  for (const page of pagesOf(
    Array.from({ length: 100_000 }, (_, index) => entryOf(`task-${index}`)),
    4_096,
  ))
    entries.add(page, () => true);
  let right = 0;
  for (let index = 0; index < 100_000; index += 1) {
    const row = entries.find(`task-${index}`);
    if (row !== undefined && keyOf(entries, row) === `task-${index}` && entries.find(`other-${index}`) === undefined)
      right += 1;
  }
  expect(right).toBe(100_000);
});
