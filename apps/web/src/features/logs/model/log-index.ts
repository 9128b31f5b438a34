import type { LogStream } from '@/gql/graphql';
import { plainText } from './log-text';
import type { LogBuffer } from './log-buffer';

export interface LogQuery {
  readonly streams: ReadonlySet<LogStream>;
  /** Case-insensitive; '' = no search. */
  readonly search: string;
}

export const allStreams: ReadonlySet<LogStream> = new Set<LogStream>(['stdout', 'stderr', 'system']);

/**
 * Which lines of a buffer pass the stream filter, and which of them match the search, in seq order. Scans in slices so
 * that a million lines never block a frame, and goes on from where it was when lines are appended.
 */
export class LogIndex {
  private rows: number[] = [];
  private hits: number[] = [];
  private scannedTo = 0;
  private needle: string;

  constructor(
    private readonly buffer: LogBuffer,
    readonly query: LogQuery,
  ) {
    this.needle = query.search.toLowerCase();
    this.scannedTo = buffer.firstSeq - 1;
  }

  /** Every line is a row: no list is kept, and a row is found by arithmetic. */
  get isWhole(): boolean {
    return this.query.streams.size >= allStreams.size;
  }

  get matches(): readonly number[] {
    return this.hits;
  }

  /** False while lines wait to be scanned. */
  get isComplete(): boolean {
    return this.scannedTo >= this.buffer.lastSeq;
  }

  /** Lines from `seq` on have come late: look at them again. */
  rewindTo(seq: number): void {
    if (seq > this.scannedTo) return;
    this.scannedTo = Math.max(seq, this.buffer.firstSeq) - 1;
    this.rows.length = upperBound(this.rows, this.scannedTo);
    this.hits.length = upperBound(this.hits, this.scannedTo);
  }

  /** Scans at most `budget` lines. Returns true when something was found. */
  scan(budget: number): boolean {
    if (this.isWhole && this.needle === '') {
      this.scannedTo = this.buffer.lastSeq;
      return false;
    }
    const before = this.rows.length + this.hits.length;
    let seq = this.scannedTo;
    for (let left = budget; left > 0 && seq < this.buffer.lastSeq; left -= 1) {
      seq = this.buffer.nextHeld(seq + 1);
      const line = this.buffer.get(seq);
      if (line === undefined || !this.query.streams.has(line.stream)) continue;
      if (!this.isWhole) this.rows.push(seq);
      if (this.needle !== '' && plainText(line.text).toLowerCase().includes(this.needle)) this.hits.push(seq);
    }
    this.scannedTo = seq;
    return this.rows.length + this.hits.length > before;
  }

  /** Rows to show, when lines up to `lastSeq` are shown. */
  rowCount(lastSeq: number): number {
    if (this.isWhole) return Math.max(0, lastSeq - this.buffer.firstSeq + 1);
    return lastSeq >= this.scannedTo ? this.rows.length : upperBound(this.rows, lastSeq);
  }

  seqOfRow(row: number): number {
    return this.isWhole ? this.buffer.firstSeq + row : (this.rows[row] ?? 0);
  }

  rowOfSeq(seq: number): number {
    return this.isWhole ? seq - this.buffer.firstSeq : upperBound(this.rows, seq) - 1;
  }
}

/** How many values of the ascending list are <= `value`. */
function upperBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
