import { describe, expect, it } from 'vitest';
import { deterministicId, isUuid, SequentialIds, uuidV7Ids } from './ids.js';

describe('ids', () => {
  it('deterministicId gives the values that stored streams contain, for ever', () => {
    expect(deterministicId('owner-1', 'key-1')).toBe('1ff3742f-f927-5807-9920-14ffbdfa58e3');
    expect(deterministicId('a')).toBe('b0e32fe8-e5e2-5f90-b934-355d152e9370');
  });

  it('deterministicId tells parts apart, wherever the border lies', () => {
    const ids = [
      deterministicId('ab', 'c'),
      deterministicId('a', 'bc'),
      deterministicId('abc'),
      deterministicId('a', 'b', 'c'),
      deterministicId('', 'abc'),
      deterministicId('1:a', 'b'),
      deterministicId('a|1:b'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isUuid)).toBe(true);
  });

  it('uuidV7Ids are unique and sort by the time of their making', () => {
    const ids = Array.from({ length: 1_000 }, () => uuidV7Ids.next());
    expect(new Set(ids).size).toBe(1_000);
    expect([...ids].sort()).toEqual(ids);
    expect(ids.every((id) => isUuid(id) && id[14] === '7')).toBe(true);
  });

  it('SequentialIds count in valid UUIDs', () => {
    const ids = new SequentialIds();
    expect([ids.next(), ids.next()]).toEqual([
      '00000000-0000-7000-8000-000000000001',
      '00000000-0000-7000-8000-000000000002',
    ]);
    expect(isUuid(ids.next())).toBe(true);
    expect(isUuid('not-an-id')).toBe(false);
  });
});
