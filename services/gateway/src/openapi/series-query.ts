import { gpuMetrics, hostMetrics, taskMetrics } from '@gantry/contracts/telemetry/telemetry-requests';

export function seriesQuery(sources: readonly string[]) {
  return {
    source: { description: `Default: ${sources[0]}.`, schema: { enum: sources } },
    metrics: {
      description: 'Names separated by commas; default: all.',
      schema: { type: 'array', items: { enum: [...new Set([...hostMetrics, ...taskMetrics, ...gpuMetrics])] } },
    },
    from: { description: 'Epoch milliseconds; default: an hour before `to`.', schema: { type: 'number' } },
    to: { description: 'Epoch milliseconds; default: now.', schema: { type: 'number' } },
    bucketSeconds: { description: 'Width of a point; chosen from the range when absent.', schema: { type: 'number' } },
  } as const;
}
