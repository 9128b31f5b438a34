import { MAX_POINTS } from '@gantry/contracts/telemetry/telemetry-requests';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolutions } from './sample-sources.js';
import { planSeries, widenPlan } from './series-plan.js';

const retention = { rawDays: 30, minuteDays: 120 };
const now = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const last = (length: number, bucketSeconds?: number) =>
  planSeries(
    { from: now - length, to: now, ...(bucketSeconds === undefined ? {} : { bucketSeconds }) },
    retention,
    now,
  );

describe('planSeries', () => {
  it.each([
    ['1 h', HOUR, 5, 'raw'],
    ['6 h', 6 * HOUR, 30, 'raw'],
    ['24 h', DAY, 120, 'minute'],
    ['7 d', 7 * DAY, 900, 'minute'],
    ['30 d', 30 * DAY, 3_600, 'hour'],
    ['a year', 365 * DAY, 86_400, 'hour'],
  ])('%s', (_, length, bucketSeconds, resolution) => {
    expect(last(length)).toMatchObject({ bucketSeconds, resolution });
  });

  it('keeps a width that was asked for and widens one that would give too many points', () => {
    expect(last(DAY, 90)).toMatchObject({ bucketSeconds: 90, resolution: 'raw' });
    expect(last(DAY, 1)).toMatchObject({ bucketSeconds: 60, resolution: 'minute' });
  });

  it('reads what the samples no longer reach from the roll-ups', () => {
    const old = (ageDays: number, bucketSeconds: number) =>
      planSeries({ from: now - ageDays * DAY, to: now - ageDays * DAY + HOUR, bucketSeconds }, retention, now);
    expect(old(29, 5)).toMatchObject({ bucketSeconds: 5, resolution: 'raw' });
    expect(old(31, 90)).toMatchObject({ bucketSeconds: 120, resolution: 'minute' });
    expect(old(121, 300)).toMatchObject({ bucketSeconds: 3_600, resolution: 'hour' });
  });

  it('never gives more than the allowed points, and the table divides the bucket', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 * DAY }),
        fc.integer({ min: 1, max: 400 * DAY }),
        fc.option(fc.integer({ min: 1, max: 86_400 }), { nil: undefined }),
        (age, length, bucketSeconds) => {
          const from = now - age;
          const plan = planSeries(
            { from, to: from + length, ...(bucketSeconds === undefined ? {} : { bucketSeconds }) },
            retention,
            now,
          );
          const width = plan.bucketSeconds * 1_000;
          const buckets = Math.floor((plan.to - 1) / width) - plan.from / width + 1;
          expect(buckets).toBeLessThanOrEqual(MAX_POINTS);
          expect(plan.bucketSeconds % resolutions[plan.resolution]).toBe(0);
          expect(plan.from).toBeLessThanOrEqual(from);
          expect(plan.bucketSeconds).toBeGreaterThanOrEqual(bucketSeconds ?? 1);
        },
      ),
    );
  });

  it('a wider plan is wider', () => {
    const plan = last(HOUR);
    expect(widenPlan(plan, 1.0001).bucketSeconds).toBeGreaterThan(plan.bucketSeconds);
    expect(widenPlan(plan, 4)).toMatchObject({ bucketSeconds: 30 });
  });
});
