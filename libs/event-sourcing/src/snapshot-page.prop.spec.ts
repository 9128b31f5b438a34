import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_ROWS, SnapshotPage, SnapshotPageWriter } from './snapshot-page.js';
import type { SnapshotEntry } from './snapshot-entry.js';
import { pagesOf } from './testing/pages-of.js';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const part = fc.record({ queue: text, priority: fc.nat(2) });

/** Entries of one layout. */
const entries: fc.Arbitrary<SnapshotEntry[]> = fc
  .record({ numbers: fc.nat(3), shared: fc.nat(3), texts: fc.nat(3) })
  .chain(({ numbers, shared, texts }) =>
    fc.array(
      fc.record({
        key: text,
        numbers: fc.array(fc.oneof(fc.double(), fc.constant(NaN)), { minLength: numbers, maxLength: numbers }),
        shared: fc.array(part, { minLength: shared, maxLength: shared }),
        texts: fc.array(text, { minLength: texts, maxLength: texts }),
      }),
      { maxLength: 20 },
    ),
  );

const entriesIn = (page: SnapshotPage): SnapshotEntry[] =>
  Array.from({ length: page.size }, (_, row) => page.entry(row));

describe('a page of a snapshot', () => {
  it('gives every entry back, and tells empty texts without making them', () => {
    fc.assert(
      fc.property(entries, (written) => {
        const pages = pagesOf(written, 7);
        expect(pages.flatMap(entriesIn)).toEqual(written);
        const told = pages.flatMap((page) =>
          entriesIn(page).map(({ texts }, row) => texts.map((_, column) => page.hasText(column, row))),
        );
        expect(told).toEqual(written.map(({ texts }) => texts.map((one) => one !== '')));
      }),
    );
  });

  it('compares keys without making them, and gives whole columns of ASCII', () => {
    const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 6 });
    fc.assert(
      fc.property(fc.array(ascii, { minLength: 1, maxLength: 10 }), ascii, (keys, other) => {
        const [page] = pagesOf(
          keys.map((key) => ({ key, numbers: [], shared: [], texts: ['', `of ${key}`] })),
          10,
        );
        const compared = keys.map((_, row) => Math.sign(page!.compareKey(row, Buffer.from(other))));
        expect(compared).toEqual(keys.map((key) => (key === other ? 0 : key < other ? -1 : 1)));
        expect(page!.asciiKeys()).toBe(keys.join(''));
        expect(page!.asciiTexts(0)).toBe('');
        expect(page!.asciiTexts(1)).toBe(keys.map((key) => `of ${key}`).join(''));
      }),
    );
    const [foreign] = pagesOf([{ key: 'é', numbers: [], shared: [], texts: ['a', 'ů'] }]);
    expect([foreign?.asciiKeys(), foreign?.asciiTexts(0), foreign?.asciiTexts(1)]).toEqual([undefined, 'a', undefined]);
  });

  it('is read wherever its bytes begin in their buffer', () => {
    const entry: SnapshotEntry = { key: 'k', numbers: [1.5], shared: [{ a: 1 }], texts: ['t'] };
    const writer = new SnapshotPageWriter(entry);
    writer.add(entry);
    const bytes = writer.finish();
    for (let offset = 0; offset < 9; offset += 1) {
      const room = Buffer.alloc(bytes.length + offset);
      bytes.copy(room, offset);
      expect(entriesIn(SnapshotPage.read(room.subarray(offset)))).toEqual([entry]);
    }
  });

  it('keeps texts apart that end and begin with half a character', () => {
    const entry = (key: string): SnapshotEntry => ({ key, numbers: [], shared: [], texts: ['between'] });
    const [page] = pagesOf([entry('a\ud83d'), entry('\udc34b')]);
    expect(page?.key(1)).toBe('\ufffdb');
    expect(page?.text(0, 1)).toBe('between');
  });

  it('holds equal shared objects once', () => {
    const colours = ['red', 'green'];
    const [page] = pagesOf(
      Array.from({ length: 100 }, (_, index) => ({
        key: `${index}`,
        numbers: [],
        shared: [{ colour: colours[index % 2] }],
        texts: [],
      })),
      100,
    );
    expect(page?.parts).toEqual([{ colour: 'red' }, { colour: 'green' }]);
  });

  it('ends when it is full, and before an entry of another layout', () => {
    const entry: SnapshotEntry = { key: '', numbers: [], shared: [], texts: [''] };
    const writer = new SnapshotPageWriter(entry);
    for (let row = 0; row < PAGE_ROWS; row += 1) {
      expect(writer.accepts(entry)).toBe(true);
      writer.add(entry);
    }
    expect(writer.accepts(entry)).toBe(false);
    const other = new SnapshotPageWriter(entry);
    expect(other.accepts({ ...entry, numbers: [1] })).toBe(false);
    expect(other.accepts({ ...entry, shared: [{}] })).toBe(false);
    expect(other.accepts({ ...entry, texts: [] })).toBe(false);
    other.add({ ...entry, texts: ['x'.repeat(3_000_000)] });
    expect(other.accepts(entry)).toBe(false);
  });

  it('is told from anything else', () => {
    const entry: SnapshotEntry = { key: 'k', numbers: [1], shared: [], texts: [] };
    const writer = new SnapshotPageWriter(entry);
    writer.add(entry);
    const bytes = writer.finish();
    for (const other of [Buffer.alloc(0), Buffer.from('{}'), bytes.subarray(0, -1), Buffer.concat([bytes, bytes])])
      expect(() => SnapshotPage.read(other)).toThrow('not a page');
    const swapped = Buffer.from(bytes);
    swapped.subarray(0, 32).swap32();
    expect(() => SnapshotPage.read(swapped)).toThrow('not a page');
  });
});
