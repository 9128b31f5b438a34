import type { LogLine } from '@gantry/contracts/agents/log-chunk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineNumbering } from './line-numbering.js';
import type { RawLine } from './raw-line.js';

const lines = fc.array(
  fc.record({
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    t: fc.integer({ min: 0, max: 5_000 }),
    text: fc.string(),
    partial: fc.boolean(),
  }),
);

function number(numbering: LineNumbering, input: readonly RawLine[]): LogLine[] {
  const out: LogLine[] = [];
  for (const line of input) numbering.number(line, (numbered) => out.push(numbered));
  return out;
}

describe('line numbering', () => {
  it('numbers without gaps, in all and per stream', () => {
    fc.assert(
      fc.property(lines, (input) => {
        const out = number(new LineNumbering(0), input);
        expect(out.map(({ seq }) => seq)).toEqual(input.map((_, index) => index + 1));
        for (const stream of ['stdout', 'stderr']) {
          const own = out.filter((line) => line.stream === stream);
          expect(own.map(({ n }) => n)).toEqual(own.map((_, index) => index + 1));
        }
      }),
    );
  });

  it('goes on from a snapshot exactly as if it had never stopped, cap included', () => {
    fc.assert(
      fc.property(lines, fc.nat(100), fc.integer({ min: 0, max: 4 }), (input, cut, cap) => {
        const whole = number(new LineNumbering(cap), input);
        const first = new LineNumbering(cap);
        const before = number(first, input.slice(0, cut));
        const after = number(new LineNumbering(cap, first.snapshot()), input.slice(cut));
        expect([...before, ...after]).toEqual(whole);
      }),
    );
  });

  it('accounts for every line that the cap drops', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 4 }), (input, cap) => {
        const numbering = new LineNumbering(cap);
        const out = number(numbering, input);
        numbering.tellDropped((line) => out.push(line));
        const told = out
          .filter(({ stream }) => stream === 'system')
          .reduce((sum, { text }) => sum + Number(/^Dropped (\d+) lines/.exec(text)?.[1]), 0);
        const kept = out.filter(({ stream }) => stream !== 'system').length;
        expect(kept + told).toBe(input.length);
        expect(out.map(({ seq }) => seq)).toEqual(out.map((_, index) => index + 1));
        const last = numbering.snapshot();
        expect(last.stdout + last.stderr).toBe(input.length);
      }),
    );
  });
});
