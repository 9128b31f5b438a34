import type { Parameters } from '../../edge/query-parameters.js';

export const seriesParameters = { metrics: 'list', from: 'number', to: 'number', bucketSeconds: 'number' } as const;

const HOUR_MS = 3_600_000;

/** The window of a chart; default: the last hour and every metric. Rounded, so that a fraction from a script is no error. */
export function seriesWindow(
  { metrics, from, to, bucketSeconds }: Parameters<typeof seriesParameters>,
  all: readonly string[],
  now = Date.now(),
) {
  const end = Math.round(to ?? now);
  return {
    metrics: metrics === undefined || metrics.length === 0 ? [...all] : metrics,
    from: Math.round(from ?? end - HOUR_MS),
    to: end,
    ...(bucketSeconds === undefined ? {} : { bucketSeconds }),
  };
}
