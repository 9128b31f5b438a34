import { describe, expect, it } from 'vitest';
import { parseArgumentLines, parseCommandLine, quoteCommandLine } from './argv';

describe('parseCommandLine', () => {
  it.each([
    ['', []],
    ['   ', []],
    ['echo hi', ['echo', 'hi']],
    ['  echo   hi  ', ['echo', 'hi']],
    [`sh -c 'echo "a b"; sleep 1'`, ['sh', '-c', 'echo "a b"; sleep 1']],
    [`a "b c" d`, ['a', 'b c', 'd']],
    [`a''b`, ['ab']],
    [`echo ''`, ['echo', '']],
    [`echo "it's"`, ['echo', "it's"]],
    [String.raw`a\ b c`, ['a b', 'c']],
    [String.raw`"a\"b" '\n' "\n"`, ['a"b', String.raw`\n`, String.raw`\n`]],
    [`echo $HOME | cat`, ['echo', '$HOME', '|', 'cat']],
    ['a\nb', ['a', 'b']],
    ['a\\\nb c', ['ab', 'c']],
  ])('reads %j as %j', (line, argv) => {
    expect(parseCommandLine(line)).toEqual({ ok: true, argv });
  });

  it.each([
    [`echo "open`, /double quote/],
    [`echo 'open`, /single quote/],
    ['echo \\', /backslash/],
  ])('refuses %j and says why', (line, message) => {
    expect(parseCommandLine(line)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

describe('parseArgumentLines', () => {
  it('takes each line as it is', () => {
    expect(parseArgumentLines("sh\r\n-c\n echo 'x' \n\n")).toEqual(['sh', '-c', " echo 'x' "]);
  });

  it('keeps an empty argument between others', () => {
    expect(parseArgumentLines('a\n\nb')).toEqual(['a', '', 'b']);
  });
});

describe('quoteCommandLine', () => {
  it('quotes only what needs it', () => {
    expect(quoteCommandLine(['python', 'main.py', '--n=3', "it's", ''])).toBe(`python main.py --n=3 'it'\\''s' ''`);
  });
});
