/** Value at quantile `q` (0-1) by linear interpolation between closest ranks. */
export function percentile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function spread(values: readonly number[]): { min: number; median: number; p95: number; max: number } {
  const rounded = (q: number) => Math.round(percentile(values, q) * 10) / 10;
  return { min: rounded(0), median: rounded(0.5), p95: rounded(0.95), max: rounded(1) };
}
