import { describe, expect, it } from 'vitest';
import { PARTITIONS, partitionOf } from './partition.js';
import { subjects } from './streams.js';

describe('partitionOf', () => {
  it('gives the values that stored subjects contain, for ever', () => {
    expect([
      partitionOf(''),
      partitionOf('a'),
      partitionOf('foobar'),
      partitionOf('00000000-0000-7000-8000-000000000001'),
      partitionOf('0197f3a1-7c2e-7d34-9a51-3f0c5b6e2d10'),
    ]).toEqual([5, 44, 40, 49, 15]);
    expect(subjects.task('00000000-0000-7000-8000-000000000001')).toBe('tasks.49.00000000-0000-7000-8000-000000000001');
  });

  it('spreads ids over all partitions', () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (let index = 0; index < 6_400; index += 1) {
      const partition = partitionOf(`00000000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(200);
  });
});
