import type { Migration } from '@gantry/clickhouse/migration';

/**
 * The current view of every task. `created_at` never changes, so (created_at, id) is as good a key as the id and makes the
 * default order of lists the order on disk. Ids are text, not UUID: cursors compare them as text everywhere.
 */
export const taskIndexMigration: Migration = {
  version: 2,
  name: 'task index',
  statements: [
    `CREATE TABLE IF NOT EXISTS task_index
     (
       id String CODEC(ZSTD(1)),
       version UInt32,
       owner_id LowCardinality(String),
       name String CODEC(ZSTD(1)),
       status Enum8('queued' = 0, 'assigned' = 1, 'starting' = 2, 'running' = 3,
                    'succeeded' = 4, 'failed' = 5, 'cancelled' = 6, 'timed_out' = 7),
       queue LowCardinality(String),
       tags Array(LowCardinality(String)),
       worker_id LowCardinality(String),
       worker_ids Array(LowCardinality(String)),
       created_at Int64 CODEC(Delta, ZSTD(1)),
       started_at Nullable(Int64) CODEC(ZSTD(1)),
       finished_at Nullable(Int64) CODEC(ZSTD(1)),
       deleted UInt8,
       view String CODEC(ZSTD(3)),
       INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
     )
     ENGINE = ReplacingMergeTree(version)
     ORDER BY (created_at, id)`,
  ],
};
