import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogBuffer, type LogLine } from './log-buffer';

const CHUNK = 4;
const line = (seq: number): LogLine => ({
  seq,
  stream: (['stdout', 'stderr', 'system'] as const)[seq % 3] ?? 'stdout',
  t: seq * 1_000 + 0.5,
  text: `line ${seq}`,
});

/** What the buffer promises, the naive way. */
class NaiveLog {
  private readonly lines = new Map<number, LogLine>();
  last = 0;

  constructor(private readonly capacity: number) {}

  get first(): number {
    return Math.max(0, Math.floor((this.last - this.capacity) / CHUNK)) * CHUNK + 1;
  }

  put(lines: readonly LogLine[]): void {
    for (const each of lines) {
      this.last = Math.max(this.last, each.seq);
      if (!this.lines.has(each.seq)) this.lines.set(each.seq, each);
    }
    for (const seq of this.lines.keys()) if (seq < this.first) this.lines.delete(seq);
  }

  get(seq: number): LogLine | undefined {
    return this.lines.get(seq);
  }

  get size(): number {
    return this.lines.size;
  }
}

const batches = fc.array(
  fc.oneof(
    fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 12 }),
    fc
      .tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 15 }))
      .map(([from, length]) => Array.from({ length }, (_, index) => from + index)),
  ),
  { maxLength: 20 },
);

describe('LogBuffer', () => {
  it('equals a naive array, in any order, with repeats and beyond its capacity', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 60 }), (input, capacity) => {
        const buffer = new LogBuffer(capacity, CHUNK);
        const naive = new NaiveLog(capacity);
        for (const seqs of input) {
          buffer.put(seqs.map(line));
          naive.put(seqs.map(line));
          expect([buffer.firstSeq, buffer.lastSeq, buffer.loaded]).toEqual([naive.first, naive.last, naive.size]);
        }
        for (let seq = 0; seq <= 110; seq += 1) expect(buffer.get(seq)).toEqual(naive.get(seq));
      }),
    );
  });

  it('finds every gap: filling gap after gap leaves nothing missing', () => {
    fc.assert(
      fc.property(batches, (input) => {
        const buffer = new LogBuffer(1_000, CHUNK);
        for (const seqs of input) buffer.put(seqs.map(line));
        for (let gap = buffer.gapIn(1, buffer.lastSeq); gap !== null; gap = buffer.gapIn(1, buffer.lastSeq)) {
          const filled = buffer.put(
            Array.from({ length: gap.to - gap.from + 1 }, (_, index) => line((gap?.from ?? 0) + index)),
          );
          expect(filled).toBeGreaterThan(0);
        }
        expect(buffer.missing).toBe(0);
        for (let seq = 1; seq <= buffer.lastSeq; seq += 1) expect(buffer.get(seq)?.text).toBe(`line ${seq}`);
      }),
    );
  });
});
