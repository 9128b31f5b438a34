import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';
import { type SampleKind, type SampleSource, sampleSources, tableOf } from '../../domain/series/sample-sources.js';
import { DirtyBuckets, type DirtyRange } from '../../domain/series/dirty-buckets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const kinds = Object.keys(sampleSources) as SampleKind[];

interface Step {
  resolution: 'minute' | 'hour';
  from: 'raw' | 'minute';
  width: number;
}
const minuteStep: Step = { resolution: 'minute', from: 'raw', width: MINUTE };
const hourStep: Step = { resolution: 'hour', from: 'minute', width: HOUR };

/**
 * Keeps the 1-minute and 1-hour tables a function of the samples: each bucket that a sample fell into is computed again as a
 * whole, and the newest computation counts. A materialized view would add a redelivered sample twice, and would miss
 * one when the process dies between the two inserts; this cannot.
 */
export class SampleRollUp {
  private readonly minutes: Record<SampleKind, DirtyBuckets>;
  private readonly hours: Record<SampleKind, DirtyBuckets>;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly database: Database) {
    this.minutes = { gpu: new DirtyBuckets(MINUTE), host: new DirtyBuckets(MINUTE), task: new DirtyBuckets(MINUTE) };
    this.hours = { gpu: new DirtyBuckets(HOUR), host: new DirtyBuckets(HOUR), task: new DirtyBuckets(HOUR) };
  }

  /** A sample of `entity` (worker, or task for task samples) at `t` is stored. */
  touch(kind: SampleKind, entity: string, t: number): void {
    this.minutes[kind].mark(entity, t);
  }

  /** Brings the minutes up to date; the hours only when asked, because they cost more and matter to long ranges only. */
  flush(withHours: boolean): Promise<void> {
    this.running = this.running.then(
      () => this.flushNow(withHours),
      () => this.flushNow(withHours),
    );
    return this.running;
  }

  private async flushNow(withHours: boolean): Promise<void> {
    for (const kind of kinds) {
      await this.drain(kind, this.minutes[kind], minuteStep, (range) => this.hours[kind].markRange(range));
      if (withHours) await this.drain(kind, this.hours[kind], hourStep);
    }
  }

  private async drain(
    kind: SampleKind,
    dirty: DirtyBuckets,
    step: Step,
    done: (range: DirtyRange) => void = () => undefined,
  ): Promise<void> {
    const ranges = dirty.take();
    try {
      for (let range = ranges[0]; range !== undefined; range = ranges[0]) {
        const current = range;
        await this.database.use((clickhouse) => compute(clickhouse, sampleSources[kind], step, current));
        ranges.shift();
        done(current);
      }
    } finally {
      for (const range of ranges) dirty.markRange(range);
    }
  }

  /** What was stored but not rolled up when the process last ended, day by day so that memory stays bounded. */
  async catchUp(): Promise<void> {
    for (const kind of kinds) {
      const source: SampleSource = sampleSources[kind];
      const span = await this.database.use((clickhouse) => missedSpan(clickhouse, source));
      if (span === undefined) continue;
      const start = Math.floor(span.from / HOUR) * HOUR;
      for (let from = start; from <= span.to; from += DAY) {
        const range = { from, to: Math.min(from + DAY, Math.floor(span.to / HOUR) * HOUR + HOUR), entities: undefined };
        await this.database.use(async (clickhouse) => {
          await compute(clickhouse, source, minuteStep, range);
          await compute(clickhouse, source, hourStep, range);
        });
      }
    }
  }
}

interface Range {
  from: number;
  to: number;
  /** Undefined = all. */
  entities: readonly string[] | undefined;
}

async function compute(clickhouse: ClickHouse, source: SampleSource, step: Step, range: Range): Promise<void> {
  const time = step.from === 'raw' ? 't' : 'bucket';
  const entity = source.keys[0];
  const sums = source.metrics.flatMap((metric) =>
    step.from === 'raw'
      ? [`sum(ifNull(${metric}, 0))`, `count(${metric})`]
      : [`sum(source.${metric}_sum)`, `sum(source.${metric}_count)`],
  );
  const columns = [
    ...source.keys,
    ...source.labels,
    'bucket',
    ...source.metrics.flatMap((metric) => [`${metric}_sum`, `${metric}_count`]),
    'computed_at',
  ];
  await clickhouse.command(
    `INSERT INTO ${tableOf(source, step.resolution)} (${columns.join(', ')})
     SELECT ${[...source.keys, ...source.labels.map((label) => `any(source.${label})`)].join(', ')},
       intDiv(source.${time}, {width:Int64}) * {width:Int64} AS start, ${sums.join(', ')}, now64(3)
     FROM ${tableOf(source, step.from)} AS source FINAL
     WHERE source.${time} >= {from:Int64} AND source.${time} < {to:Int64}
       ${range.entities === undefined ? '' : `AND ${entity} IN {entities:Array(String)}`}
     GROUP BY ${[...source.keys, 'start'].join(', ')}`,
    {
      width: step.width,
      from: range.from,
      to: range.to,
      ...(range.entities === undefined ? {} : { entities: range.entities }),
    },
  );
}

const spanSchema = z.tuple([z.number(), z.number(), z.number()]);

/** Times of the samples that were stored after (or just before) the newest roll-up. */
async function missedSpan(
  clickhouse: ClickHouse,
  source: SampleSource,
): Promise<{ from: number; to: number } | undefined> {
  const [row] = await clickhouse.queryTuples(
    `SELECT count(), min(t), max(t) FROM ${source.table}
     WHERE received_at >= (SELECT max(computed_at) FROM ${tableOf(source, 'hour')}) - INTERVAL 15 MINUTE`,
    {},
    spanSchema,
  );
  return row === undefined || row[0] === 0 ? undefined : { from: row[1], to: row[2] };
}
