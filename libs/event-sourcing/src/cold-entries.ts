import { hashOf, PAGE_ROWS, type SnapshotPage } from './snapshot-page.js';

const ROW_BITS = Math.log2(PAGE_ROWS);
const FREE = -1;

interface ColdPage {
  readonly page: SnapshotPage;
  /** 1 = still here. */
  readonly present: Uint8Array;
  count: number;
}

export interface PageWithRows {
  readonly page: SnapshotPage;
  /** By place in the page: 1 = still here. */
  readonly present: Readonly<Uint8Array>;
  /** Over all pages. */
  readonly firstRow: number;
}

export interface CapturedRow {
  readonly page: SnapshotPage;
  readonly inPage: number;
  /** Of the `ColdEntries`, if it is still there. */
  readonly row: number;
}

/**
 * Entries of a snapshot that stay bytes until somebody needs them: a million of them cost a start no objects, only one place each in
 * an index of numbers. A row is named by one number over all pages; a page whose last entry was taken is let go.
 */
export class ColdEntries {
  private pages: (ColdPage | undefined)[] = [];
  private count = 0;
  /** Open addressing with linear probing: rows, by the hash of their keys. Made when somebody first looks for a key; never shrinks. */
  private index: Int32Array | undefined;

  get size(): number {
    return this.count;
  }

  /** Takes in those rows of a page that `isCold` names; answers how many. No key may be here already. */
  add(page: SnapshotPage, isCold: (row: number) => boolean): number {
    const present = new Uint8Array(page.size);
    let count = 0;
    for (let row = 0; row < page.size; row += 1) {
      if (!isCold(row)) continue;
      present[row] = 1;
      count += 1;
    }
    if (count === 0) return 0;
    this.pages.push({ page, present, count });
    this.count += count;
    this.index = undefined;
    return count;
  }

  find(key: string): number | undefined {
    if (this.count === 0) return undefined;
    const index = (this.index ??= this.indexed());
    const hash = hashOf(key);
    const mask = index.length - 1;
    for (let slot = hash & mask; index[slot] !== FREE; slot = (slot + 1) & mask) {
      const row = index[slot]!;
      if (!this.has(row)) continue;
      const page = this.pageOf(row);
      if (page.hash(inPage(row)) === hash && page.key(inPage(row)) === key) return row;
    }
    return undefined;
  }

  has(row: number): boolean {
    return this.pages[row >>> ROW_BITS]?.present[inPage(row)] === 1;
  }

  /** Of a row that is here. */
  pageOf(row: number): SnapshotPage {
    return this.pages[row >>> ROW_BITS]!.page;
  }

  /** From now on somebody else has it. */
  take(row: number): void {
    const number = row >>> ROW_BITS;
    const cold = this.pages[number]!;
    cold.present[inPage(row)] = 0;
    cold.count -= 1;
    this.count -= 1;
    if (cold.count === 0) this.pages[number] = undefined;
    if (this.count > 0) return;
    this.pages = [];
    this.index = undefined;
  }

  /** In the order in which they came, or the other way round. */
  *pagesWithRows(newestFirst = false): Generator<PageWithRows> {
    for (let at = 0; at < this.pages.length; at += 1) {
      const number = newestFirst ? this.pages.length - 1 - at : at;
      const cold = this.pages[number];
      if (cold !== undefined) yield { page: cold.page, present: cold.present, firstRow: number * PAGE_ROWS };
    }
  }

  /** What is here now, to be looked at while some of it may be taken. */
  captured(): Iterable<CapturedRow> {
    const pages = [...this.pagesWithRows()].map(({ present, ...rest }) => ({ ...rest, present: present.slice() }));
    return (function* () {
      for (const { page, present, firstRow } of pages)
        for (let at = 0; at < page.size; at += 1) if (present[at] === 1) yield { page, inPage: at, row: firstRow + at };
    })();
  }

  private indexed(): Int32Array {
    let slots = 1_024;
    while (slots < this.count * 2) slots *= 2;
    const index = new Int32Array(slots).fill(FREE);
    const mask = slots - 1;
    for (const { page, present, firstRow } of this.pagesWithRows())
      for (let row = 0; row < page.size; row += 1) {
        if (present[row] !== 1) continue;
        let slot = page.hash(row) & mask;
        while (index[slot] !== FREE) slot = (slot + 1) & mask;
        index[slot] = firstRow + row;
      }
    return index;
  }
}

/** Its place in its page. */
export function inPage(row: number): number {
  return row & (PAGE_ROWS - 1);
}
