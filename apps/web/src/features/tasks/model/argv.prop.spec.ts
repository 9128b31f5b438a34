import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommandLine, quoteCommandLine } from './argv';

describe('command lines', () => {
  it('give back any argument vector that was quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (argv) => {
        expect(parseCommandLine(quoteCommandLine(argv))).toEqual({ ok: true, argv });
      }),
    );
  });

  it('never throw, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        const result = parseCommandLine(line);
        expect(result.ok ? result.argv.every((word) => typeof word === 'string') : result.message.length > 0).toBe(
          true,
        );
      }),
    );
  });
});
