import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { z } from 'zod';
import { type SampleSource, tableOf } from '../../domain/series/sample-sources.js';

/** Epoch milliseconds, both inclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const spanSchema = z.tuple([z.number(), z.number(), z.number()]);

async function spanOf(clickhouse: ClickHouse, time: string, rows: string): Promise<Span | undefined> {
  const [row] = await clickhouse.queryTuples(`SELECT count(), min(${time}), max(${time}) FROM ${rows}`, {}, spanSchema);
  return row === undefined || row[0] === 0 ? undefined : { from: row[1], to: row[2] };
}

/** Times of the samples that were stored after (or just before) the newest roll-up. */
export function missedSamples(clickhouse: ClickHouse, source: SampleSource): Promise<Span | undefined> {
  return spanOf(
    clickhouse,
    't',
    `${source.table}
     WHERE received_at >= (SELECT max(computed_at) FROM ${tableOf(source, 'hour')}) - INTERVAL 15 MINUTE`,
  );
}

/** Minutes older than the oldest of the fleet: what was there before the fleet had a table. Filled in from its newest end. */
export async function missedFleet(clickhouse: ClickHouse, source: SampleSource): Promise<Span | undefined> {
  if (source.fleetTable === undefined) return undefined;
  const minutes = await spanOf(clickhouse, 'bucket', tableOf(source, 'minute'));
  if (minutes === undefined) return undefined;
  const fleet = await spanOf(clickhouse, 'bucket', source.fleetTable);
  if (fleet === undefined) return minutes;
  return minutes.from < fleet.from ? { from: minutes.from, to: fleet.from } : undefined;
}
