import { MAX_LOG_LINE_BYTES } from '@gantry/contracts/agents/log-chunk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputCutter, PIECE_BYTES } from './output-cutter.js';
import type { RawLine } from './raw-line.js';
import { decodeFrames, encodeFrame } from './spool-frame.js';
import { SpoolLineDecoder } from './spool-line.decoder.js';

const line = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('é', '€', '😀', 'a').chain((unit) => fc.nat(9_000).map((n) => unit.repeat(n))),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join('').replaceAll('\n', ' '));

/** What the spooler writes when the sandbox's output comes in pieces of these sizes. */
function spooled(bytes: Buffer, sizes: readonly number[]): Buffer {
  const written: Buffer[] = [];
  const cutter = new OutputCutter('stdout', (frame) => written.push(...encodeFrame(frame)));
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    cutter.push(bytes.subarray(at, at + size), turn);
    at += size;
  }
  cutter.finish(-1);
  return Buffer.concat(written);
}

function read(spool: Buffer): { lines: RawLine[]; taken: number } {
  const decoder = new SpoolLineDecoder();
  const lines: RawLine[] = [];
  const taken = decodeFrames(spool, (frame) => decoder.decode(frame, (shown) => lines.push(shown)));
  return { lines, taken };
}

const whole = (lines: readonly RawLine[]): string[] => {
  const texts: string[] = [];
  let open = false;
  for (const { text, partial } of lines) {
    if (open) texts[texts.length - 1] += text;
    else texts.push(text);
    open = partial;
  }
  return texts;
};

const sizes = fc.array(fc.integer({ min: 1, max: 64 * 1024 }), { minLength: 1, maxLength: 6 });

describe('the spool of a sandbox', () => {
  it('gives lines back however they are long, written and read', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        sizes,
        fc.nat(),
        (texts, closed, cuts, at) => {
          const printed = `${texts.join('\n')}${closed ? '\n' : ''}`;
          const spool = spooled(Buffer.from(printed), cuts);
          const expected = printed === '' ? [] : closed ? texts : printed.replace(/\n$/, '').split('\n');
          const all = read(spool);
          expect(whole(all.lines)).toEqual(expected);
          expect(all.taken).toBe(spool.length);
          expect(all.lines.every(({ text }) => Buffer.byteLength(text) <= MAX_LOG_LINE_BYTES)).toBe(true);
          // A reader that was cut off anywhere goes on after the last whole frame, without a memory.
          const first = read(spool.subarray(0, at % (spool.length + 1)));
          const second = read(spool.subarray(first.taken));
          expect([...first.lines, ...second.lines]).toEqual(all.lines);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has the time and the stream of every line', () => {
    const written: Buffer[] = [];
    const cutters = (['stdout', 'stderr'] as const).map(
      (stream) => new OutputCutter(stream, (frame) => written.push(...encodeFrame(frame))),
    );
    cutters[0]?.push(Buffer.from('a\nb'), 1_760_000_000_001);
    cutters[1]?.push(Buffer.from('x\n'), 1_760_000_000_002.5);
    cutters[0]?.push(Buffer.from('c\n'), 1_760_000_000_003);
    expect(read(Buffer.concat(written)).lines).toEqual([
      { stream: 'stdout', t: 1_760_000_000_001, text: 'a', partial: false },
      { stream: 'stderr', t: 1_760_000_000_002.5, text: 'x', partial: false },
      { stream: 'stdout', t: 1_760_000_000_003, text: 'bc', partial: false },
    ]);
  });

  it('cuts pieces that are shown as they are', () => {
    expect(PIECE_BYTES).toBeLessThanOrEqual(MAX_LOG_LINE_BYTES);
  });

  it('refuses what is no frame', () => {
    expect(() => read(Buffer.alloc(64, 0xff))).toThrow(/damaged/);
  });
});
