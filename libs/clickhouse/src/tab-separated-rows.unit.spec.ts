import { describe, expect, it } from 'vitest';
import { TabSeparatedRows } from './tab-separated-rows.js';

const encode = (...rows: Parameters<TabSeparatedRows['add']>[0][]): string => {
  const encoded = new TabSeparatedRows();
  for (const row of rows) encoded.add(row);
  return encoded.take().toString();
};

describe('TabSeparatedRows', () => {
  it('writes one line a row, with the words of the format for what is no text', () => {
    expect(encode(['a', 1, 2.5, null, true, false], ['b', -1, Number.NaN, null, false, true])).toBe(
      'a\t1\t2.5\t\\N\t1\t0\nb\t-1\t\\N\t\\N\t0\t1\n',
    );
  });

  it('escapes what would end a value or a row, and nothing else', () => {
    expect(encode([`{"a":"it's"}`, 'tab\tline\nreturn\rback\\slash\0'])).toBe(
      `{"a":"it's"}\ttab\\tline\\nreturn\\rback\\\\slash\\0\n`,
    );
    expect(encode(['\\N', ''])).toBe('\\\\N\t\n');
  });

  it('quotes the texts of a list', () => {
    expect(encode([['plain', `it's`, 'back\\slash', 'line\n'], [], [1, 2]])).toBe(
      `['plain','it\\'s','back\\\\slash','line\\n']\t[]\t[1,2]\n`,
    );
  });

  it('takes bytes over as they are, and escapes them like text where they need it', () => {
    const clean = Buffer.from('before{"é":"漢"}after').subarray(6, -5);
    expect(encode(['x', clean, 'y'])).toBe('x\t{"é":"漢"}\ty\n');
    expect(encode([new Uint8Array(Buffer.from('{"a":"\\n"}\n')), 'y'])).toBe('{"a":"\\\\n"}\\n\ty\n');
  });

  it('grows with what is added, hands it over once, and knows about how large it is', () => {
    const rows = new TabSeparatedRows();
    expect(rows.isEmpty).toBe(true);
    const long = '漢'.repeat(100_000);
    rows.add([long, Buffer.alloc(200_000, 'b')]);
    rows.add(['next']);
    expect(rows.size).toBeGreaterThan(300_000);
    const first = rows.take();
    rows.add(['later']);
    expect(first.toString()).toBe(`${long}\t${'b'.repeat(200_000)}\nnext\n`);
    expect(rows.take().toString()).toBe('later\n');
    expect(rows.isEmpty).toBe(true);
  });
});
