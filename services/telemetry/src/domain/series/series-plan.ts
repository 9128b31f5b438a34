import { MAX_POINTS } from '@gantry/contracts/telemetry/telemetry-requests';
import { type Resolution, resolutions } from './sample-sources.js';

export interface SeriesRange {
  /** Epoch milliseconds, [from, to). */
  from: number;
  to: number;
  bucketSeconds?: number;
}

/** How far back each resolution reaches, days. */
export interface SeriesRetention {
  rawDays: number;
  minuteDays: number;
}

export interface SeriesPlan {
  resolution: Resolution;
  bucketSeconds: number;
  /** Start of the first bucket, so that it is whole. Epoch milliseconds. */
  from: number;
  to: number;
}

/** Widths that read well on a time axis. */
const WIDTHS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
] as const;
const DAY = 86_400;
/** Enough for a chart of ordinary width; a range of an hour is shown at the usual sampling interval of 5 s. */
const DEFAULT_POINTS = 720;

/**
 * Chooses bucket width and table: the coarsest table whose own step divides the bucket, so that a wide range reads few
 * rows. What is older than a table's retention is read from the next coarser one.
 */
export function planSeries(range: SeriesRange, retention: SeriesRetention, now: number): SeriesPlan {
  const seconds = Math.max(1, (range.to - range.from) / 1_000);
  const wanted = range.bucketSeconds ?? widthFor(seconds / DEFAULT_POINTS);
  const step = finestKept(range.from, retention, now);
  const bucketSeconds = Math.ceil(Math.max(wanted, widthForPoints(seconds, wanted)) / step) * step;
  const width = bucketSeconds * 1_000;
  return {
    resolution: resolutionOf(bucketSeconds),
    bucketSeconds,
    from: Math.floor(range.from / width) * width,
    to: range.to,
  };
}

/** The next wider plan, for an answer that would be too large to send. */
export function widenPlan(plan: SeriesPlan, factor: number): SeriesPlan {
  const bucketSeconds = widthFor(plan.bucketSeconds * Math.max(factor, 1.01));
  const width = bucketSeconds * 1_000;
  return {
    ...plan,
    resolution: resolutionOf(bucketSeconds),
    bucketSeconds,
    from: Math.floor(plan.from / width) * width,
  };
}

/** The smallest readable width that is not below `seconds`. */
function widthFor(seconds: number): number {
  return WIDTHS.find((width) => width >= seconds) ?? Math.ceil(seconds / DAY) * DAY;
}

/** The bucket itself if it gives few enough points. One more than the division says: a range may start inside a bucket. */
function widthForPoints(rangeSeconds: number, bucketSeconds: number): number {
  const points = Math.ceil(rangeSeconds / bucketSeconds) + 1;
  return points <= MAX_POINTS ? bucketSeconds : widthFor(rangeSeconds / (MAX_POINTS - 2));
}

/** Step, in seconds, of the finest table that still has samples of that time. */
function finestKept(from: number, retention: SeriesRetention, now: number): number {
  const ageDays = (now - from) / (DAY * 1_000);
  if (ageDays > retention.minuteDays) return resolutions.hour;
  return ageDays > retention.rawDays ? resolutions.minute : resolutions.raw;
}

function resolutionOf(bucketSeconds: number): Resolution {
  if (bucketSeconds % resolutions.hour === 0) return 'hour';
  return bucketSeconds % resolutions.minute === 0 ? 'minute' : 'raw';
}
