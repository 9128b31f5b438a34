import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ageOf, clockCommand, floodCommand, LogWitness } from './log-witness.js';

const output = ([program = '', ...args]: string[]): string[] =>
  execFileSync(program, args, { encoding: 'utf8' }).trimEnd().split('\n');

const seeing = (lines: readonly string[]): LogWitness => {
  const witness = new LogWitness();
  for (const line of lines) witness.take(line);
  return witness;
};

describe('LogWitness', () => {
  const lines = output(floodCommand(5));

  it('is content with what the flood writes', () => {
    expect(() => seeing(lines).expectWhole(5, 'here')).not.toThrow();
  });

  it.each([
    ['a missing line', lines.toSpliced(2, 1)],
    ['a missing end', lines.slice(0, 4)],
    ['a doubled line', lines.toSpliced(2, 0, lines[2] ?? '')],
    ['lines out of order', [lines[1] ?? '', lines[0] ?? '', ...lines.slice(2)]],
    ['a cut line', lines.map((line) => line.slice(0, -1))],
  ])('finds %s', (_, seen) => {
    expect(() => seeing(seen).expectWhole(5, 'here')).toThrow('here: ');
  });
});

describe('clockCommand', () => {
  it('writes when it writes', () => {
    const ages = output(clockCommand(2)).map(ageOf);
    expect(ages).toHaveLength(2);
    for (const age of ages) expect(age).toBeLessThan(10_000);
    expect(Math.min(...ages.map((age) => age ?? -1))).toBeGreaterThan(0);
    expect(ageOf('text')).toBeUndefined();
  });
});
