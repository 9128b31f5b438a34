import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { z } from 'zod';
import { type SampleSource, sampleSources, tableOf } from '../domain/series/sample-sources.js';

export interface Retention {
  logDays: number;
  metricDays: number;
}

/** Roll-ups are small and stay longer than the samples: a minute 4 times, an hour and a minute of the fleet 24 times as long. */
export const MINUTE_RETENTION_FACTOR = 4;
const HOUR_RETENTION_FACTOR = 24;

/** Sets how long logs and samples stay. Not a migration, because an operator may change it at any start. */
export async function applyRetention(clickhouse: ClickHouse, { logDays, metricDays }: Retention): Promise<void> {
  const wanted: [table: string, expression: string][] = [
    ['task_logs', `received_at + toIntervalDay(${logDays})`],
    ['log_attempts', `received_at + toIntervalDay(${logDays})`],
    ...Object.values(sampleSources).flatMap((source: SampleSource): [string, string][] => [
      [source.table, `toDateTime(intDiv(t, 1000)) + toIntervalDay(${metricDays})`],
      [
        tableOf(source, 'minute'),
        `toDateTime(intDiv(bucket, 1000)) + toIntervalDay(${metricDays * MINUTE_RETENTION_FACTOR})`,
      ],
      [
        tableOf(source, 'hour'),
        `toDateTime(intDiv(bucket, 1000)) + toIntervalDay(${metricDays * HOUR_RETENTION_FACTOR})`,
      ],
      ...(source.fleetTable === undefined
        ? []
        : [
            [
              source.fleetTable,
              `toDateTime(intDiv(bucket, 1000)) + toIntervalDay(${metricDays * HOUR_RETENTION_FACTOR})`,
            ] satisfies [string, string],
          ]),
    ]),
  ];
  const existing = await clickhouse.query(
    'SELECT name, create_table_query AS statement FROM system.tables WHERE database = {database:String}',
    { database: clickhouse.database },
    z.object({ name: z.string(), statement: z.string() }),
  );
  const statements = new Map(existing.map((row) => [row.name, row.statement]));
  for (const [table, expression] of wanted) {
    if (statements.get(table)?.includes(`TTL ${expression}`)) continue;
    // Old parts are dropped whole when their time comes; rewriting them now would stall the engine.
    await clickhouse.command(`ALTER TABLE ${table} MODIFY TTL ${expression} SETTINGS materialize_ttl_after_modify = 0`);
  }
}
