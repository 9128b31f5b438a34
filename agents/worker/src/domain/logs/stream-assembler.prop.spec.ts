import { MAX_LOG_LINE_BYTES } from '@gantry/contracts/agents/log-chunk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamAssembler } from './stream-assembler.js';
import { characterBoundary } from './utf8-cut.js';

const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('é', '€', '😀', 'a').chain((unit) => fc.nat(9_000).map((n) => unit.repeat(n))),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join('').replaceAll('\n', ''));

describe('stream assembler', () => {
  it('puts a line together from pieces of bytes without hurting a character', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: MAX_LOG_LINE_BYTES }), { minLength: 1, maxLength: 10 }),
        (line, sizes) => {
          const bytes = Buffer.from(line, 'utf8');
          const assembler = new StreamAssembler();
          const emitted: { text: string; partial: boolean }[] = [];
          const emit = (shown: string, partial: boolean): void => void emitted.push({ text: shown, partial });
          let at = 0;
          for (let index = 0; ; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            const last = at + size >= bytes.length;
            assembler.push(bytes.subarray(at, at + size), last, emit);
            at += size;
            if (last) break;
          }
          expect(emitted.map((part) => part.text).join('')).toBe(line);
          expect(emitted.slice(0, -1).every(({ partial }) => partial)).toBe(true);
          expect(emitted.at(-1)?.partial).toBe(false);
          expect(emitted.every((part) => Buffer.byteLength(part.text) <= MAX_LOG_LINE_BYTES)).toBe(true);
          expect(assembler.holding).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps bytes that are no text as replacement characters, and nothing hangs', () => {
    const assembler = new StreamAssembler();
    const emitted: string[] = [];
    assembler.push(Buffer.from([0xff, 0xfe, 0x80, 0x41, 0xf0]), true, (shown) => emitted.push(shown));
    expect(emitted).toEqual(['\uFFFD\uFFFD\uFFFDA\uFFFD']);
  });

  it('never cuts inside a character', () => {
    const bytes = Buffer.from('a€b');
    expect([1, 2, 3, 4, 5].map((limit) => characterBoundary(bytes, 0, limit))).toEqual([1, 1, 1, 4, 5]);
  });
});
