import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignSeries, isolatedValues, LiveSeries, parsePoints, weightedMean } from './series';

describe('parsePoints', () => {
  it('takes pairs of numbers and nothing else', () => {
    expect(parsePoints([[1, 2], [3, null], ['4', 5], 6, [7]])).toEqual([
      [1, 2],
      [3, null],
    ]);
    expect(parsePoints('no')).toEqual([]);
  });
});

describe('LiveSeries', () => {
  it('averages live samples into buckets after the history', () => {
    const series = new LiveSeries(
      [
        [0, 10],
        [10_000, 20],
      ],
      10_000,
    );
    expect(series.add(12_000, 99)).toBe(false);
    series.add(20_000, 4);
    series.add(21_000, 6);
    series.add(29_999, 8);
    series.add(31_000, 1);
    expect(series.toPoints()).toEqual([
      [0, 10],
      [10_000, 20],
      [20_000, 6],
      [30_000, 1],
    ]);
  });

  it('leaves late samples out and drops what is too old', () => {
    const series = new LiveSeries([], 1_000);
    series.add(5_000, 1);
    expect(series.add(4_000, 9)).toBe(false);
    series.add(7_000, 3);
    series.dropBefore(6_000);
    expect(series.toPoints()).toEqual([[7_000, 3]]);
  });
});

describe('alignSeries', () => {
  it('puts a gap where nothing was measured', () => {
    const data = alignSeries(
      [
        [
          [0, 1],
          [1_000, 2],
          [5_000, 3],
        ],
      ],
      1_000,
    );
    expect(data).toEqual([
      [0, 1, 2, 5],
      [1, 2, null, 3],
    ]);
  });

  it('bridges a time that only another series has, without a value of its own', () => {
    const data = alignSeries(
      [
        [
          [0, 1],
          [2_000, 3],
        ],
        [[1_000, 7]],
      ],
      1_000,
    );
    expect(data[1]).toEqual([1, undefined, 3]);
    expect(data[2]).toEqual([undefined, 7, undefined]);
  });

  it('shows exactly the values that were measured', () => {
    const points = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.double({ noNaN: true })), {
        selector: ([time]) => time,
      })
      .map((list) => list.sort((a, b) => a[0] - b[0]).map(([time, value]) => [time * 1_000, value] as const));
    fc.assert(
      fc.property(points, points, (left, right) => {
        const [times, ...columns] = alignSeries([left, right], 1_000);
        expect([...times]).toEqual([...times].sort((a, b) => a - b));
        for (const [index, series] of [left, right].entries()) {
          const shown = times.flatMap((time, at) => {
            const value = columns[index]?.[at];
            return value === null || value === undefined ? [] : [[time * 1_000, value]];
          });
          expect(shown).toEqual(series.map(([time, value]) => [time, value]));
        }
      }),
    );
  });
});

describe('isolatedValues', () => {
  it('finds values without a neighbour', () => {
    expect(isolatedValues([1, null, 2, 3, null, undefined, 4])).toEqual([0, 6]);
    expect(isolatedValues([1, undefined, 2])).toEqual([]);
  });
});

describe('weightedMean', () => {
  it('weighs by size and leaves out who has no value', () => {
    const mean = weightedMean([
      {
        weight: 1,
        points: [
          [0, 10],
          [1, 10],
        ],
      },
      {
        weight: 3,
        points: [
          [0, 50],
          [1, null],
        ],
      },
    ]);
    expect(mean).toEqual([
      [0, 40],
      [1, 10],
    ]);
  });
});
