export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** Value at quantile `q` (0-1) by linear interpolation between closest ranks. */
export function percentile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: percentile(values, 0.5),
    min: percentile(values, 0),
    max: percentile(values, 1),
    rounds: values.length,
  };
}

export function ratioOf(ours: Spread, beside: Spread): number {
  return ours.median / beside.median;
}

/** `warmUp` rounds that nobody looks at, then `rounds` that count. */
export async function measured(
  { warmUp, rounds }: { warmUp: number; rounds: number },
  round: () => Promise<number>,
): Promise<Spread> {
  for (let index = 0; index < warmUp; index += 1) await round();
  const values: number[] = [];
  for (let index = 0; index < rounds; index += 1) values.push(await round());
  return spreadOf(values);
}
