import type { SeriesSource } from '@/gql/graphql';
import { formatMebibytes, formatRate, shortNumber } from '@/lib/format';

/** One metric: its name in history (`series`), its field in a live sample, and how its values read. */
export interface Metric {
  readonly name: string;
  readonly live: string;
  readonly label: string;
  readonly format: (value: number) => string;
}

/** One graph. Metrics of a graph share unit and axis. */
export interface Graph {
  readonly id: string;
  readonly title: string;
  readonly source: SeriesSource;
  readonly metrics: readonly Metric[];
  /** A fixed upper end of the axis, where the unit has one. */
  readonly max?: number;
  /** Bytes in some form: the axis steps in powers of two. */
  readonly binary?: boolean;
}

const percent = (value: number) => `${shortNumber(value)} %`;
const network: readonly Metric[] = [
  { name: 'network_rx_bps', live: 'networkRxBytesPerSecond', label: 'received', format: formatRate },
  { name: 'network_tx_bps', live: 'networkTxBytesPerSecond', label: 'sent', format: formatRate },
];
const disk: readonly Metric[] = [
  { name: 'disk_read_bps', live: 'diskReadBytesPerSecond', label: 'read', format: formatRate },
  { name: 'disk_write_bps', live: 'diskWriteBytesPerSecond', label: 'written', format: formatRate },
];
const memory: Metric = { name: 'memory_used_mb', live: 'memoryUsedMb', label: 'memory', format: formatMebibytes };

export const hostGraphs: readonly Graph[] = [
  {
    id: 'cpu',
    title: 'CPU (of all cores)',
    source: 'host',
    max: 100,
    metrics: [{ name: 'cpu_percent', live: 'cpuPercent', label: 'CPU', format: percent }],
  },
  { id: 'memory', title: 'Memory used', source: 'host', binary: true, metrics: [memory] },
  { id: 'network', title: 'Network', source: 'host', binary: true, metrics: network },
  { id: 'disk', title: 'Disk', source: 'host', binary: true, metrics: disk },
];

export const taskGraphs: readonly Graph[] = [
  {
    id: 'cpu',
    title: 'CPU (100 % = one core)',
    source: 'task',
    metrics: [{ name: 'cpu_percent', live: 'cpuPercent', label: 'CPU', format: percent }],
  },
  { id: 'memory', title: 'Memory used', source: 'task', binary: true, metrics: [memory] },
  { id: 'network', title: 'Network', source: 'task', binary: true, metrics: network },
  { id: 'disk', title: 'Disk', source: 'task', binary: true, metrics: disk },
];

export const gpuGraphs: readonly Graph[] = [
  {
    id: 'gpu',
    title: 'GPU utilisation',
    source: 'gpu',
    max: 100,
    metrics: [{ name: 'utilization_percent', live: 'utilizationPercent', label: 'utilisation', format: percent }],
  },
  {
    id: 'vram',
    title: 'GPU memory used',
    source: 'gpu',
    binary: true,
    metrics: [{ name: 'memory_used_mb', live: 'memoryUsedMb', label: 'memory', format: formatMebibytes }],
  },
  {
    id: 'temperature',
    title: 'GPU temperature',
    source: 'gpu',
    metrics: [
      {
        name: 'temperature_c',
        live: 'temperatureC',
        label: 'temperature',
        format: (value) => `${shortNumber(value)} °C`,
      },
    ],
  },
  {
    id: 'power',
    title: 'GPU power',
    source: 'gpu',
    metrics: [
      { name: 'power_watts', live: 'powerWatts', label: 'power', format: (value) => `${shortNumber(value)} W` },
    ],
  },
];

export const ranges = {
  '15m': { label: '15 m', ms: 15 * 60_000 },
  '1h': { label: '1 h', ms: 3_600_000 },
  '6h': { label: '6 h', ms: 6 * 3_600_000 },
  '24h': { label: '24 h', ms: 24 * 3_600_000 },
  '7d': { label: '7 d', ms: 7 * 24 * 3_600_000 },
} as const;
export type Range = keyof typeof ranges;
