import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText, segmentsOf } from './log-text';

const joined = (text: string, search = '') =>
  segmentsOf(text, search)
    .map((segment) => segment.text)
    .join('');

describe('log text', () => {
  it('turns colours into classes and styles', () => {
    const segments = segmentsOf(
      '\u001b[31mred\u001b[0m \u001b[1;38;2;1;2;3mtrue\u001b[0m \u001b[38;5;208mpal\u001b[0m',
      '',
    );
    expect(segments.map(({ text, className, color }) => [text, className, color])).toEqual([
      ['red', 'ansi-red', undefined],
      [' ', '', undefined],
      ['true', 'ansi-bold', 'rgb(1 2 3)'],
      [' ', '', undefined],
      ['pal', '', 'rgb(255 135 0)'],
    ]);
  });

  it('marks matches across colours', () => {
    const segments = segmentsOf('an \u001b[31mer\u001b[0mror', 'ERROR');
    expect(segments.map(({ text, match }) => [text, match])).toEqual([
      ['an ', false],
      ['er', true],
      ['ror', true],
    ]);
  });

  it('shows the last state of a line that was drawn over', () => {
    expect(joined('10 %\r50 %\r100 %')).toBe('100 %');
    expect(joined('done\r')).toBe('done');
  });

  it('drops what a terminal would act on', () => {
    expect(joined('a\u001b]0;title\u0007b\u001b[2Kc\u0000\u0008d')).toBe('abcd');
    expect(joined('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });

  it('keeps the text the same whatever is searched, and lets no control character through', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom('\u001b[31m', '\u001b[0m', '\u001b[38;5;99m', '\u001b[', '\u001b', '\r', 'err'),
      ),
    );
    fc.assert(
      fc.property(pieces, fc.string({ maxLength: 3 }), (parts, search) => {
        const text = parts.join('');
        const shown = joined(text, search);
        expect(shown).toBe(joined(text));
        expect(
          [...shown].filter((character) => (character < ' ' && !'\t\n'.includes(character)) || character === '\u007f'),
        ).toEqual([]);
        for (const segment of segmentsOf(text, search)) expect(segment.className).toMatch(/^(ansi-[a-z-]+ ?)*$/);
      }),
    );
    expect(plainText('\u001b[1mx\u001b[0m')).toBe('x');
  });
});
