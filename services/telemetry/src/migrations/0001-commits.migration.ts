import type { Migration } from '@gantry/clickhouse/migration';

/**
 * Every commit of every event stream, for ever. Ordered by aggregate, because that is how it is read back; the commit's id
 * is part of the key, so a commit that is delivered again replaces itself, and the commits of a stream that was made
 * anew (its sequences start at 1 again) replace nothing.
 */
export const commitsMigration: Migration = {
  version: 1,
  name: 'commits',
  statements: [
    `CREATE TABLE IF NOT EXISTS commits
     (
       stream LowCardinality(String),
       stream_sequence UInt64 CODEC(Delta, ZSTD(1)),
       subject String CODEC(ZSTD(1)),
       aggregate_id String CODEC(ZSTD(1)),
       version UInt32,
       commit_id String CODEC(ZSTD(1)),
       occurred_at Int64 CODEC(Delta, ZSTD(1)),
       actor_kind LowCardinality(String),
       actor_id String CODEC(ZSTD(1)),
       actor_name String CODEC(ZSTD(1)),
       correlation_id String CODEC(ZSTD(1)),
       event_types Array(LowCardinality(String)),
       commit String CODEC(ZSTD(3)),
       INDEX by_sequence stream_sequence TYPE minmax GRANULARITY 1,
       INDEX by_time occurred_at TYPE minmax GRANULARITY 1
     )
     ENGINE = ReplacingMergeTree
     ORDER BY (stream, aggregate_id, version, commit_id)`,
    // Newest stream sequence whose effect is stored, to find out at a start what a wiped or restored database lacks.
    `CREATE TABLE IF NOT EXISTS applied_positions
     (stream LowCardinality(String), last_sequence UInt64, updated_at DateTime64(3) DEFAULT now64(3))
     ENGINE = ReplacingMergeTree(updated_at)
     ORDER BY stream`,
  ],
};
