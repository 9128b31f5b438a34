import type { Migration } from '@gantry/clickhouse/migration';

/** Names are written out, not taken from the contracts: a released migration must never change. */
const tables = {
  gpu_samples_fleet: [
    'utilization_percent',
    'memory_used_mb',
    'temperature_c',
    'power_watts',
    'sm_clock_mhz',
    'memory_clock_mhz',
    'ecc_errors',
  ],
  host_samples_fleet: [
    'cpu_percent',
    'memory_used_mb',
    'load1',
    'storage_used_mb',
    'network_rx_bps',
    'network_tx_bps',
    'disk_read_bps',
    'disk_write_bps',
  ],
} as const;

/**
 * One row a minute for all workers together, computed from the minutes of each: a chart of the whole fleet reads 1,440 rows a
 * day however many workers there are. Days from before this table are filled in at the next start.
 */
const fleetTable = ([name, metrics]: [string, readonly string[]]): string => `
  CREATE TABLE IF NOT EXISTS ${name}
  (${[
    'bucket Int64 CODEC(DoubleDelta, ZSTD(1))',
    ...metrics.flatMap((metric) => [`${metric}_sum Float64 CODEC(ZSTD(1))`, `${metric}_count UInt64 CODEC(ZSTD(1))`]),
    'computed_at DateTime64(3)',
  ].join(', ')})
  ENGINE = ReplacingMergeTree(computed_at)
  PARTITION BY toYYYYMM(toDateTime(intDiv(bucket, 1000)))
  ORDER BY bucket
  SETTINGS ttl_only_drop_parts = 1`;

export const fleetSamplesMigration: Migration = {
  version: 5,
  name: 'fleet-samples',
  statements: Object.entries(tables).map(fleetTable),
};
