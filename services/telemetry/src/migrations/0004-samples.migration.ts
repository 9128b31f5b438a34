import type { Migration } from '@gantry/clickhouse/migration';

/** Names are written out, not taken from the contracts: a released migration must never change. */
interface Tables {
  name: string;
  order: readonly string[];
  /** Key columns after the time: they split roll-up rows. */
  splitBy: readonly string[];
  identity: readonly string[];
  metrics: readonly string[];
  extras: readonly string[];
  indexes: readonly string[];
}

const gpu: Tables = {
  name: 'gpu_samples',
  order: ['worker_id', 'gpu_id'],
  splitBy: ['task_id'],
  identity: [
    'worker_id LowCardinality(String)',
    'gpu_id LowCardinality(String)',
    'task_id String CODEC(ZSTD(1))',
    'gpu_index UInt16',
    'model LowCardinality(String)',
  ],
  metrics: [
    'utilization_percent',
    'memory_used_mb',
    'temperature_c',
    'power_watts',
    'sm_clock_mhz',
    'memory_clock_mhz',
    'ecc_errors',
  ],
  extras: ['memory_total_mb'],
  indexes: ['INDEX by_task task_id TYPE bloom_filter(0.001) GRANULARITY 1'],
};

const host: Tables = {
  name: 'host_samples',
  order: ['worker_id'],
  splitBy: [],
  identity: ['worker_id LowCardinality(String)'],
  metrics: [
    'cpu_percent',
    'memory_used_mb',
    'load1',
    'storage_used_mb',
    'network_rx_bps',
    'network_tx_bps',
    'disk_read_bps',
    'disk_write_bps',
  ],
  extras: ['memory_total_mb', 'storage_total_mb'],
  indexes: [],
};

const task: Tables = {
  name: 'task_samples',
  order: ['task_id', 'attempt'],
  splitBy: [],
  identity: ['task_id String CODEC(ZSTD(1))', 'attempt UInt32', 'worker_id LowCardinality(String)'],
  metrics: [
    'cpu_percent',
    'memory_used_mb',
    'network_rx_bps',
    'network_tx_bps',
    'disk_read_bps',
    'disk_write_bps',
    'processes',
  ],
  extras: ['memory_limit_mb'],
  indexes: [],
};

/** As they came. A sample that is delivered again has the same key and replaces itself. `t` is epoch milliseconds. */
const raw = ({ name, order, identity, metrics, extras, indexes }: Tables): string => `
  CREATE TABLE IF NOT EXISTS ${name}
  (${[
    ...identity,
    't Int64 CODEC(DoubleDelta, ZSTD(1))',
    ...[...metrics, ...extras].map((metric) => `${metric} Nullable(Float64) CODEC(Gorilla, ZSTD(1))`),
    'received_at DateTime DEFAULT now() CODEC(DoubleDelta, ZSTD(1))',
    'INDEX by_time t TYPE minmax GRANULARITY 1',
    ...indexes,
  ].join(', ')})
  ENGINE = ReplacingMergeTree
  PARTITION BY toYYYYMMDD(toDateTime(intDiv(t, 1000)))
  ORDER BY (${order.join(', ')}, t)
  SETTINGS ttl_only_drop_parts = 1`;

/** One row per key and time bucket, computed anew whenever a sample of the bucket arrives: the newest row counts. */
const rollUp = ({ name, order, splitBy, identity, metrics }: Tables, suffix: '1m' | '1h'): string => `
  CREATE TABLE IF NOT EXISTS ${name}_${suffix}
  (${[
    ...identity,
    'bucket Int64 CODEC(DoubleDelta, ZSTD(1))',
    ...metrics.flatMap((metric) => [`${metric}_sum Float64 CODEC(ZSTD(1))`, `${metric}_count UInt32 CODEC(ZSTD(1))`]),
    'computed_at DateTime64(3)',
    'INDEX by_bucket bucket TYPE minmax GRANULARITY 1',
    ...(splitBy.length > 0 ? ['INDEX by_task task_id TYPE bloom_filter(0.001) GRANULARITY 1'] : []),
  ].join(', ')})
  ENGINE = ReplacingMergeTree(computed_at)
  PARTITION BY toYYYYMM(toDateTime(intDiv(bucket, 1000)))
  ORDER BY (${[...order, 'bucket', ...splitBy].join(', ')})
  SETTINGS ttl_only_drop_parts = 1`;

export const samplesMigration: Migration = {
  version: 4,
  name: 'samples',
  statements: [gpu, host, task].flatMap((tables) => [raw(tables), rollUp(tables, '1m'), rollUp(tables, '1h')]),
};
