import type { SnapshotEntry } from './snapshot-entry.js';

/** Rows of one page; a power of two, so that one number names a row of many pages (`ColdEntries`). */
export const PAGE_ROWS = 4_096;
/** Texts and shared objects of a page end it earlier. */
const PAGE_BYTES = 2 * 1024 * 1024;
/** Room for the texts of a column to begin with. */
const COLUMN_BYTES = 16 * 1024;
/** Also tells a page of a machine with another byte order, whose numbers nobody here could read. */
const MAGIC = 0x67616e31;
const HEAD_BYTES = 32;
const NOT_ASCII = /[^\0-\x7f]/;
const NUMBER_BYTES = 8;
const WORD_BYTES = 4;

/**
 * Entries of one layout by column, as bytes. Reading it makes no object per entry: a value is taken out of the bytes when it is asked
 * for.
 *
 *     head     8 words: magic, rows, numbers, shared, texts (the key is the first one), bytes of the parts, bytes of the texts, 0
 *     numbers  float64 by column
 *     hashes   uint32 of the keys
 *     places   uint32 by column: which of the parts a shared object is
 *     ends     uint32 by column: where each text ends
 *     parts    JSON, an array of the shared objects
 *     texts    UTF-8 by column
 */
export class SnapshotPage {
  private constructor(
    private readonly bytes: Buffer,
    readonly size: number,
    /** How many numbers, shared objects and texts (without the key) an entry has. */
    readonly layout: PageLayout,
    /** The shared objects, each different one once. */
    readonly parts: readonly object[],
    private readonly numbers: Float64Array,
    private readonly words: Uint32Array,
    private readonly textsBegin: number,
  ) {}

  /** Keeps `bytes`. Throws if they are not a page. */
  static read(bytes: Buffer): SnapshotPage {
    const aligned = bytes.byteOffset % NUMBER_BYTES === 0 ? bytes : copyOf(bytes);
    const { buffer, byteOffset, length } = aligned;
    const head = length < HEAD_BYTES ? [] : new Uint32Array(buffer, byteOffset, HEAD_BYTES / WORD_BYTES);
    const [magic, rows = 0, numbers = 0, shared = 0, texts = 0, partsBytes = 0, textBytes = 0] = head;
    const wordsBegin = HEAD_BYTES + rows * numbers * NUMBER_BYTES;
    const words = rows * (1 + shared + texts);
    const partsBegin = wordsBegin + words * WORD_BYTES;
    const textsBegin = partsBegin + partsBytes;
    if (magic !== MAGIC || textsBegin + textBytes !== length) throw new Error('this is not a page of a snapshot');
    return new SnapshotPage(
      aligned,
      rows,
      { numbers, shared, texts: texts - 1 },
      JSON.parse(aligned.toString('utf8', partsBegin, textsBegin)) as object[],
      new Float64Array(buffer, byteOffset + HEAD_BYTES, rows * numbers),
      new Uint32Array(buffer, byteOffset + wordsBegin, words),
      textsBegin,
    );
  }

  key(row: number): string {
    return this.textAt(row);
  }

  /** Compares the key's bytes; of ASCII keys that is their order as strings. */
  compareKey(row: number, other: Uint8Array): number {
    const { bytes } = this;
    const begin = this.textsBegin + this.endOf(row - 1);
    const length = this.textsBegin + this.endOf(row) - begin;
    for (let at = 0; at < length && at < other.length; at += 1) {
      const difference = bytes[begin + at]! - other[at]!;
      if (difference !== 0) return difference;
    }
    return length - other.length;
  }

  /** The keys of all rows, one after the other without anything between them; undefined if they are not all ASCII. */
  asciiKeys(): string | undefined {
    return this.asciiColumn(0);
  }

  /** The same of a text. */
  asciiTexts(column: number): string | undefined {
    return this.asciiColumn(1 + column);
  }

  /** `hashOf` its key. */
  hash(row: number): number {
    return this.words[row]!;
  }

  number(column: number, row: number): number {
    return this.numbers[column * this.size + row]!;
  }

  /** Which of `parts` it is. */
  place(column: number, row: number): number {
    return this.words[(1 + column) * this.size + row]!;
  }

  shared(column: number, row: number): object {
    return this.parts[this.place(column, row)]!;
  }

  text(column: number, row: number): string {
    return this.textAt((1 + column) * this.size + row);
  }

  hasText(column: number, row: number): boolean {
    const index = (1 + column) * this.size + row;
    return this.endOf(index) > this.endOf(index - 1);
  }

  entry(row: number): SnapshotEntry {
    const { layout } = this;
    const [numbers, shared, texts]: [number[], object[], string[]] = [[], [], []];
    for (let column = 0; column < layout.numbers; column += 1) numbers.push(this.number(column, row));
    for (let column = 0; column < layout.shared; column += 1) shared.push(this.shared(column, row));
    for (let column = 0; column < layout.texts; column += 1) texts.push(this.text(column, row));
    return { key: this.key(row), numbers, shared, texts };
  }

  private asciiColumn(column: number): string | undefined {
    const begin = this.textsBegin + this.endOf(column * this.size - 1);
    const end = this.textsBegin + this.endOf((column + 1) * this.size - 1);
    const text = this.bytes.toString('latin1', begin, end);
    return NOT_ASCII.test(text) ? undefined : text;
  }

  private textAt(index: number): string {
    const { textsBegin } = this;
    return this.bytes.toString('utf8', textsBegin + this.endOf(index - 1), textsBegin + this.endOf(index));
  }

  private endOf(index: number): number {
    return index < 0 ? 0 : this.words[(1 + this.layout.shared) * this.size + index]!;
  }
}

export interface PageLayout {
  readonly numbers: number;
  readonly shared: number;
  readonly texts: number;
}

/**
 * Collects entries until the page is full. Each is turned into bytes when it is added, so that the end is no more than copying them
 * together: whoever writes has other things to do between two entries.
 */
export class SnapshotPageWriter {
  private readonly layout: PageLayout;
  private readonly numbers: Float64Array;
  /** Hashes, then places by column; each column has room for all rows. */
  private readonly words: Uint32Array;
  /** The first one is of the keys. */
  private readonly texts: readonly TextColumn[];
  private readonly parts: string[] = [];
  private readonly placeOfObject = new Map<object, number>();
  private readonly placeOfText = new Map<string, number>();
  private rows = 0;
  private partCharacters = 0;

  /** `first` gives the layout; it is not added. */
  constructor(first: SnapshotEntry) {
    this.layout = layoutOf(first);
    const { numbers, shared, texts } = this.layout;
    this.numbers = new Float64Array(numbers * PAGE_ROWS);
    this.words = new Uint32Array((1 + shared) * PAGE_ROWS);
    this.texts = Array.from({ length: 1 + texts }, () => new TextColumn());
  }

  get size(): number {
    return this.rows;
  }

  /** False if the page is full, or of entries of another layout. */
  accepts(entry: SnapshotEntry): boolean {
    const { numbers, shared, texts } = this.layout;
    const size = this.texts.reduce((sum, { end }) => sum + end, this.partCharacters);
    return (
      this.rows < PAGE_ROWS &&
      size < PAGE_BYTES &&
      entry.numbers.length === numbers &&
      entry.shared.length === shared &&
      entry.texts.length === texts
    );
  }

  add({ key, numbers, shared, texts }: SnapshotEntry): void {
    const row = this.rows;
    numbers.forEach((value, column) => (this.numbers[column * PAGE_ROWS + row] = value));
    this.words[row] = hashOf(key);
    shared.forEach((part, column) => (this.words[(1 + column) * PAGE_ROWS + row] = this.place(part)));
    this.texts.forEach((column, index) => column.add(row, index === 0 ? key : texts[index - 1]!));
    this.rows += 1;
  }

  finish(): Buffer {
    const { numbers, shared, texts } = this.layout;
    const parts = Buffer.from(`[${this.parts.join(',')}]`);
    const ends: Uint32Array[] = [];
    let end = 0;
    for (const column of this.texts) {
      const before = end;
      ends.push(column.ends.subarray(0, this.rows).map((own) => before + own));
      end += column.end;
    }
    const head = new Uint32Array([MAGIC, this.rows, numbers, shared, 1 + texts, parts.length, end, 0]);
    const columns = [
      head,
      ...this.columnsOf(this.numbers, numbers),
      ...this.columnsOf(this.words, 1 + shared),
      ...ends,
    ];
    return Buffer.concat([
      ...columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
      parts,
      ...this.texts.map(({ bytes, end: length }) => bytes.subarray(0, length)),
    ]);
  }

  private columnsOf<Column extends Float64Array | Uint32Array>(values: Column, count: number): Column[] {
    const { rows } = this;
    return Array.from(
      { length: count },
      (_, column) => values.subarray(column * PAGE_ROWS, column * PAGE_ROWS + rows) as Column,
    );
  }

  private place(part: object): number {
    // What came out of a snapshot is one object for many entries, so that its text is seldom needed.
    const known = this.placeOfObject.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    let place = this.placeOfText.get(text);
    if (place === undefined) {
      place = this.parts.length;
      this.parts.push(text);
      this.placeOfText.set(text, place);
      this.partCharacters += text.length;
    }
    this.placeOfObject.set(part, place);
    return place;
  }
}

/** The texts of one column, as bytes. Each by itself: halves of a surrogate pair at the end of one and the begin of another are no pair. */
class TextColumn {
  readonly ends = new Uint32Array(PAGE_ROWS);
  bytes = Buffer.allocUnsafe(COLUMN_BYTES);
  end = 0;

  add(row: number, text: string): void {
    if (text !== '') {
      // A UTF-16 unit takes at most three bytes.
      const most = this.end + text.length * 3;
      if (most > this.bytes.length) this.grow(most);
      this.end += this.bytes.write(text, this.end);
    }
    this.ends[row] = this.end;
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafe(Math.max(least, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}

/** FNV-1a, 32 bits, over UTF-16 units. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function layoutOf({ numbers, shared, texts }: SnapshotEntry): PageLayout {
  return { numbers: numbers.length, shared: shared.length, texts: texts.length };
}

/** One of its own, so that it begins where a number may begin. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}
