import { gpuMetrics, hostMetrics, taskMetrics } from '@gantry/contracts/telemetry/telemetry-requests';

/** One kind of sample: what its series are keyed by and what can be charted. The tables are made in migrations 4 and 5. */
export interface SampleSource {
  readonly table: 'gpu_samples' | 'host_samples' | 'task_samples';
  /** Columns that identify a series (and split roll-up rows). The first is the entity that roll-ups are redone by. */
  readonly keys: readonly [string, ...string[]];
  /** Describe a series without identifying it. */
  readonly labels: readonly string[];
  readonly metrics: readonly string[];
  /** Minutes of all entities together, for sources that are charted so. */
  readonly fleetTable?: 'gpu_samples_fleet' | 'host_samples_fleet';
}

export const sampleSources = {
  gpu: {
    table: 'gpu_samples',
    keys: ['worker_id', 'gpu_id', 'task_id'],
    labels: ['gpu_index', 'model'],
    metrics: gpuMetrics,
    fleetTable: 'gpu_samples_fleet',
  },
  host: {
    table: 'host_samples',
    keys: ['worker_id'],
    labels: [],
    metrics: hostMetrics,
    fleetTable: 'host_samples_fleet',
  },
  task: { table: 'task_samples', keys: ['task_id', 'attempt'], labels: ['worker_id'], metrics: taskMetrics },
} as const satisfies Record<string, SampleSource>;

export type SampleKind = keyof typeof sampleSources;

export const resolutions = { raw: 1, minute: 60, hour: 3_600 } as const;
export type Resolution = keyof typeof resolutions;

/** Where samples of that resolution are kept. */
export function tableOf(source: SampleSource, resolution: Resolution): string {
  return resolution === 'raw' ? source.table : `${source.table}_${resolution === 'minute' ? '1m' : '1h'}`;
}
