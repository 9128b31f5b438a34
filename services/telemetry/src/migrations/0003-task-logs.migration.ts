import type { Migration } from '@gantry/clickhouse/migration';

/**
 * Log lines; a line that is delivered again has the same key and replaces itself. `log_attempts` keeps only maxima, which
 * no repetition can change. The retention is set at every start (`retention.ts`).
 */
export const taskLogsMigration: Migration = {
  version: 3,
  name: 'task logs',
  statements: [
    `CREATE TABLE IF NOT EXISTS task_logs
     (
       task_id String CODEC(ZSTD(1)),
       attempt UInt32,
       seq UInt64 CODEC(Delta, ZSTD(1)),
       n UInt64 CODEC(Delta, ZSTD(1)),
       stream Enum8('stdout' = 1, 'stderr' = 2, 'system' = 3),
       t Float64 CODEC(ZSTD(1)),
       text String CODEC(ZSTD(3)),
       partial UInt8,
       received_at DateTime DEFAULT now() CODEC(Delta, ZSTD(1))
     )
     ENGINE = ReplacingMergeTree
     PARTITION BY toYYYYMMDD(received_at)
     ORDER BY (task_id, attempt, seq)
     SETTINGS ttl_only_drop_parts = 1`,
    `CREATE TABLE IF NOT EXISTS log_attempts
     (
       task_id String,
       attempt UInt32,
       last_seq SimpleAggregateFunction(max, UInt64),
       ended SimpleAggregateFunction(max, UInt8),
       received_at SimpleAggregateFunction(max, DateTime) DEFAULT now()
     )
     ENGINE = AggregatingMergeTree
     ORDER BY (task_id, attempt)`,
  ],
};
