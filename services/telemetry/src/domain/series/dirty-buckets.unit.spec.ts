import { describe, expect, it } from 'vitest';
import { DirtyBuckets } from './dirty-buckets.js';

describe('DirtyBuckets', () => {
  it('joins neighbours, keeps gaps apart and is empty afterwards', () => {
    const dirty = new DirtyBuckets(60);
    dirty.mark('a', 130);
    dirty.mark('b', 61);
    dirty.mark('a', 600);
    expect(dirty.take()).toEqual([
      { from: 60, to: 180, entities: ['b', 'a'] },
      { from: 600, to: 660, entities: ['a'] },
    ]);
    expect(dirty.take()).toEqual([]);
  });

  it('takes a range back after a failure, in the buckets of its own width', () => {
    const dirty = new DirtyBuckets(100);
    dirty.markRange({ from: 60, to: 180, entities: ['a'] });
    expect(dirty.take()).toEqual([{ from: 0, to: 200, entities: ['a'] }]);
  });
});
