import { describe, expect, it } from 'vitest';
import { attachment, notModified, parseRange, rangeApplies } from './byte-range.js';

describe('parseRange', () => {
  it.each([
    [undefined, 10, undefined],
    ['bytes=0-4', 10, { first: 0, last: 4 }],
    ['bytes=5-', 10, { first: 5, last: 9 }],
    ['bytes=5-99', 10, { first: 5, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-99', 10, { first: 0, last: 9 }],
    ['Bytes= 1 - 2 ', 10, { first: 1, last: 2 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, 'unsatisfiable'],
    ['bytes=5-4', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=a-b', 10, undefined],
  ])('%s of %i', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected);
  });
});

it('compares entity tags as the standard says', () => {
  expect([
    rangeApplies(undefined, '"a"'),
    rangeApplies('"a"', '"a"'),
    rangeApplies('"b"', '"a"'),
    rangeApplies('Wed, 21 Oct 2015 07:28:00 GMT', '"a"'),
  ]).toEqual([true, true, false, false]);
  expect([
    notModified(undefined, '"a"'),
    notModified('*', '"a"'),
    notModified('"b", W/"a"', '"a"'),
    notModified('"b"', '"a"'),
  ]).toEqual([false, true, true, false]);
});

it('names a download without letting the name out of the header', () => {
  expect(attachment('out/a b.txt')).toBe(`attachment; filename="a b.txt"; filename*=UTF-8''a%20b.txt`);
  expect(attachment('x"\r\nset-cookie: a')).toBe(
    `attachment; filename="x___set-cookie_ a"; filename*=UTF-8''x%22%0D%0Aset-cookie%3A%20a`,
  );
  expect(attachment('ergebnis-ü\ud800.bin')).toBe(
    `attachment; filename="ergebnis-__.bin"; filename*=UTF-8''ergebnis-%C3%BC_.bin`,
  );
});
