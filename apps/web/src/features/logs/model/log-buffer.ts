import type { LogLineFieldsFragment, LogStream } from '@/gql/graphql';

export type LogLine = Pick<LogLineFieldsFragment, 'seq' | 'stream' | 't' | 'text'>;

/** Lines of a chunk lie in parallel arrays: a million lines as objects would cost several times the memory. */
interface Chunk {
  count: number;
  readonly texts: (string | undefined)[];
  readonly times: Float64Array;
  readonly streams: Uint8Array;
}

const STREAMS: readonly LogStream[] = ['stdout', 'stderr', 'system'];

/**
 * The log of one attempt, addressed by `seq` (from 1, without gaps at the source). Any part may be missing and may come
 * later, in any order and more than once, which is what lets the viewer show the tail first, jump anywhere and
 * resume after a lost connection. Keeps the newest `capacity` lines (rounded up to whole chunks): a ring, whose start is `firstSeq`.
 */
export class LogBuffer {
  private readonly chunks = new Map<number, Chunk>();
  private base = 0;
  private last = 0;
  private held = 0;

  constructor(
    readonly capacity = 1_000_000,
    readonly chunkLines = 1_024,
  ) {}

  /** The lowest seq that this buffer keeps. */
  get firstSeq(): number {
    return this.base * this.chunkLines + 1;
  }

  /** The highest seq known to exist; 0 = no lines. */
  get lastSeq(): number {
    return this.last;
  }

  /** How many lines are here. */
  get loaded(): number {
    return this.held;
  }

  /** How many of the lines that could be here are not. */
  get missing(): number {
    return Math.max(0, this.last - this.firstSeq + 1) - this.held;
  }

  /** Lines exist up to here, even if they have not come yet. */
  extendTo(seq: number): void {
    if (seq <= this.last) return;
    this.last = seq;
    const base = Math.max(0, Math.floor((seq - this.capacity) / this.chunkLines));
    if (base <= this.base) return;
    this.base = base;
    // Insertion order is not seq order, so every key is looked at; this happens once in `chunkLines` lines.
    for (const [index, chunk] of this.chunks) {
      if (index >= base) continue;
      this.held -= chunk.count;
      this.chunks.delete(index);
    }
  }

  /** Returns how many of the lines were new. */
  put(lines: readonly LogLine[]): number {
    let added = 0;
    for (const line of lines) {
      this.extendTo(line.seq);
      const position = line.seq - 1;
      const index = Math.floor(position / this.chunkLines);
      if (index < this.base) continue;
      let chunk = this.chunks.get(index);
      if (chunk === undefined) {
        chunk = {
          count: 0,
          texts: [],
          times: new Float64Array(this.chunkLines),
          streams: new Uint8Array(this.chunkLines),
        };
        this.chunks.set(index, chunk);
      }
      const slot = position % this.chunkLines;
      if (chunk.texts[slot] !== undefined) continue;
      chunk.texts[slot] = line.text;
      chunk.times[slot] = line.t;
      chunk.streams[slot] = STREAMS.indexOf(line.stream);
      chunk.count += 1;
      added += 1;
    }
    this.held += added;
    return added;
  }

  get(seq: number): LogLine | undefined {
    const position = seq - 1;
    const chunk = this.chunks.get(Math.floor(position / this.chunkLines));
    const slot = position % this.chunkLines;
    const text = chunk?.texts[slot];
    if (chunk === undefined || text === undefined) return undefined;
    return { seq, text, t: chunk.times[slot] ?? 0, stream: STREAMS[chunk.streams[slot] ?? 0] ?? 'stdout' };
  }

  /** `seq` itself or, when nothing of its chunk is here, the start of the next chunk; at most `lastSeq`. */
  nextHeld(seq: number): number {
    let index = Math.floor((seq - 1) / this.chunkLines);
    if (this.chunks.has(index)) return seq;
    const end = Math.floor((this.last - 1) / this.chunkLines);
    do index += 1;
    while (index <= end && !this.chunks.has(index));
    return Math.min(index * this.chunkLines + 1, this.last);
  }

  /** The first stretch of absent lines that touches [from, to], grown to whole chunks; null when all are here. */
  gapIn(from: number, to: number): { from: number; to: number } | null {
    const end = Math.min(to, this.last);
    for (let seq = Math.max(from, this.firstSeq); seq <= end; seq += 1) {
      const index = Math.floor((seq - 1) / this.chunkLines);
      const chunk = this.chunks.get(index);
      if (chunk?.count === this.chunkLines) {
        seq = (index + 1) * this.chunkLines;
        continue;
      }
      if (chunk?.texts[(seq - 1) % this.chunkLines] !== undefined) continue;
      return { from: index * this.chunkLines + 1, to: Math.min((index + 1) * this.chunkLines, this.last) };
    }
    return null;
  }
}
