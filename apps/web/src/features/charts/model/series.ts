/** [epoch ms, value]; null = no value there, drawn as a gap. Ascending. */
export type Point = readonly [number, number | null];

/** The API's `points` are JSON: whatever is not a pair of numbers is left out. */
export function parsePoints(points: unknown): Point[] {
  if (!Array.isArray(points)) return [];
  return points.flatMap((point): Point[] =>
    Array.isArray(point) && typeof point[0] === 'number' && (typeof point[1] === 'number' || point[1] === null)
      ? [[point[0], point[1] as number | null]]
      : [],
  );
}

/**
 * One series that grows: history from the server, in buckets, and live samples after it, averaged into buckets of the same
 * width. A bucket that history covers keeps history's value.
 */
export class LiveSeries {
  private points: [number, number | null][];
  private samples = 0;
  private readonly coveredTo: number;

  constructor(
    history: readonly Point[],
    readonly bucketMs: number,
  ) {
    this.points = history.map(([time, value]) => [time, value]);
    this.coveredTo = this.points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns true if the series changed. A sample older than the last bucket is late and is left out. */
  add(time: number, value: number): boolean {
    const bucket = Math.floor(time / this.bucketMs) * this.bucketMs;
    const last = this.points.at(-1);
    if (bucket <= this.coveredTo || (last !== undefined && bucket < last[0])) return false;
    if (last !== undefined && last[0] === bucket && last[1] !== null) {
      this.samples += 1;
      last[1] += (value - last[1]) / this.samples;
    } else {
      this.points.push([bucket, value]);
      this.samples = 1;
    }
    return true;
  }

  dropBefore(time: number): void {
    let count = 0;
    while (count < this.points.length && (this.points[count]?.[0] ?? 0) < time) count += 1;
    if (count > 0) this.points = this.points.slice(count);
  }

  toPoints(): Point[] {
    return this.points.map(([time, value]) => [time, value]);
  }
}

/** x values and one column per series, as uPlot wants them (seconds). */
export type AlignedData = [number[], ...(number | null | undefined)[][]];

/**
 * Joins series on one time axis. Empty buckets stay empty: where two neighbours of a series lie further apart than 2.5
 * buckets a null is put between them, so that no line is drawn through time that nobody measured. `undefined` is a time
 * that only another series has: uPlot neither shows a value there nor breaks the line.
 */
export function alignSeries(series: readonly (readonly Point[])[], bucketMs: number): AlignedData {
  const withGaps = series.map((points) => markGaps(points, bucketMs));
  const times = [...new Set(withGaps.flatMap((points) => points.map(([time]) => time)))].sort(
    (left, right) => left - right,
  );
  const columns = withGaps.map((points) => {
    const byTime = new Map(points);
    return times.map((time) => byTime.get(time));
  });
  return [times.map((time) => time / 1_000), ...columns];
}

function markGaps(points: readonly Point[], bucketMs: number): Point[] {
  const marked: Point[] = [];
  for (const point of points) {
    const last = marked.at(-1);
    if (last !== undefined && point[0] - last[0] > bucketMs * 2.5) marked.push([last[0] + bucketMs, null]);
    marked.push(point);
  }
  return marked;
}

/** Where a value stands alone between gaps: no line reaches it, so it needs a dot. `undefined` is no gap, see above. */
export function isolatedValues(column: ArrayLike<number | null | undefined>): number[] {
  const alone: number[] = [];
  let before: number | null = null;
  let pending = -1;
  for (let index = 0; index < column.length; index += 1) {
    const value = column[index];
    if (value === undefined) continue;
    if (pending >= 0 && value === null) alone.push(pending);
    pending = value !== null && before === null ? index : -1;
    before = value;
  }
  if (pending >= 0) alone.push(pending);
  return alone;
}

/** Weighted mean of several workers' series: at every bucket over those that have a value there. */
export function weightedMean(
  parts: readonly { readonly points: readonly Point[]; readonly weight: number }[],
): Point[] {
  const sums = new Map<number, { value: number; weight: number }>();
  for (const { points, weight } of parts) {
    for (const [time, value] of points) {
      if (value === null) continue;
      const sum = sums.get(time) ?? { value: 0, weight: 0 };
      sum.value += value * weight;
      sum.weight += weight;
      sums.set(time, sum);
    }
  }
  return [...sums]
    .filter(([, sum]) => sum.weight > 0)
    .sort(([left], [right]) => left - right)
    .map(([time, sum]): Point => [time, sum.value / sum.weight]);
}
