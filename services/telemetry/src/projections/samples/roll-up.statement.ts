import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { type Resolution, type SampleSource, tableOf } from '../../domain/series/sample-sources.js';

/** One coarser table and what it is computed from. */
export interface RollUpStep {
  readonly into: 'minute' | 'hour' | 'fleet';
  readonly from: Exclude<Resolution, 'hour'>;
  /** Of its buckets, milliseconds. */
  readonly width: number;
}

export interface RollUpRange {
  /** Epoch milliseconds, whole buckets, [from, to). */
  readonly from: number;
  readonly to: number;
  /** Undefined = all. */
  readonly entities: readonly string[] | undefined;
}

/** Computes the buckets of a range anew, each as a whole. */
export async function computeRollUp(
  clickhouse: ClickHouse,
  source: SampleSource,
  step: RollUpStep,
  range: RollUpRange,
): Promise<void> {
  const fleet = step.into === 'fleet';
  const table = step.into === 'fleet' ? source.fleetTable : tableOf(source, step.into);
  if (table === undefined) return;
  const time = step.from === 'raw' ? 't' : 'bucket';
  const keys = fleet ? [] : source.keys;
  const labels = fleet ? [] : source.labels;
  const sums = source.metrics.flatMap((metric) =>
    step.from === 'raw'
      ? [`sum(ifNull(${metric}, 0))`, `count(${metric})`]
      : [`sum(source.${metric}_sum)`, `sum(source.${metric}_count)`],
  );
  const columns = [
    ...keys,
    ...labels,
    'bucket',
    ...source.metrics.flatMap((metric) => [`${metric}_sum`, `${metric}_count`]),
    'computed_at',
  ];
  const values = [
    ...keys,
    ...labels.map((label) => `any(source.${label})`),
    `intDiv(source.${time}, {width:Int64}) * {width:Int64} AS start`,
    ...sums,
    'now64(3)',
  ];
  await clickhouse.command(
    `INSERT INTO ${table} (${columns.join(', ')})
     SELECT ${values.join(', ')}
     FROM ${tableOf(source, step.from)} AS source FINAL
     WHERE source.${time} >= {from:Int64} AND source.${time} < {to:Int64}
       ${range.entities === undefined ? '' : `AND ${source.keys[0]} IN {entities:Array(String)}`}
     GROUP BY ${[...keys, 'start'].join(', ')}`,
    {
      width: step.width,
      from: range.from,
      to: range.to,
      ...(range.entities === undefined ? {} : { entities: range.entities }),
    },
  );
}
