import type { Database } from '../../application/database.port.js';
import { type SampleKind, type SampleSource, sampleSources } from '../../domain/series/sample-sources.js';
import { DirtyBuckets, type DirtyRange } from '../../domain/series/dirty-buckets.js';
import { missedFleet, missedSamples } from './missed-roll-ups.js';
import { computeRollUp, type RollUpStep } from './roll-up.statement.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const kinds = Object.keys(sampleSources) as SampleKind[];

const minuteStep: RollUpStep = { into: 'minute', from: 'raw', width: MINUTE };
const fleetStep: RollUpStep = { into: 'fleet', from: 'minute', width: MINUTE };
const hourStep: RollUpStep = { into: 'hour', from: 'minute', width: HOUR };

const dirtyOfEachKind = (width: number): Record<SampleKind, DirtyBuckets> => ({
  gpu: new DirtyBuckets(width),
  host: new DirtyBuckets(width),
  task: new DirtyBuckets(width),
});

/**
 * Keeps the coarser tables a function of the samples: each bucket that a sample fell into is computed again as a
 * whole, and the newest computation counts. A materialized view would add a redelivered sample twice, and would miss
 * one when the process dies between the two inserts; this cannot.
 */
export class SampleRollUp {
  private readonly minutes = dirtyOfEachKind(MINUTE);
  private readonly fleet = dirtyOfEachKind(MINUTE);
  private readonly hours = dirtyOfEachKind(HOUR);
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly database: Database) {}

  /** A sample of `entity` (worker, or task for task samples) at `t` is stored. */
  touch(kind: SampleKind, entity: string, t: number): void {
    this.minutes[kind].mark(entity, t);
  }

  /** Brings the minutes up to date; fleet and hours only when asked, because they cost more and matter to long ranges only. */
  flush(withLong: boolean): Promise<void> {
    this.running = this.running.then(
      () => this.flushNow(withLong),
      () => this.flushNow(withLong),
    );
    return this.running;
  }

  private async flushNow(withLong: boolean): Promise<void> {
    for (const kind of kinds) {
      await this.drain(kind, this.minutes[kind], minuteStep, (range) => {
        this.fleet[kind].markRange({ ...range, entities: [EVERYBODY] });
        this.hours[kind].markRange(range);
      });
      if (!withLong) continue;
      await this.drain(kind, this.fleet[kind], fleetStep);
      // Last: from its newest computation a start tells what was missed.
      await this.drain(kind, this.hours[kind], hourStep);
    }
  }

  private async drain(
    kind: SampleKind,
    dirty: DirtyBuckets,
    step: RollUpStep,
    done: (range: DirtyRange) => void = () => undefined,
  ): Promise<void> {
    const ranges = dirty.take();
    try {
      for (let range = ranges[0]; range !== undefined; range = ranges[0]) {
        const { from, to } = range;
        const entities = step.into === 'fleet' ? undefined : range.entities;
        await this.database.use((clickhouse) =>
          computeRollUp(clickhouse, sampleSources[kind], step, { from, to, entities }),
        );
        ranges.shift();
        done(range);
      }
    } finally {
      for (const range of ranges) dirty.markRange(range);
    }
  }

  /** What was stored but not rolled up when the process last ended, day by day so that memory stays bounded. */
  async catchUp(): Promise<void> {
    for (const kind of kinds) {
      const source: SampleSource = sampleSources[kind];
      const span = await this.database.use((clickhouse) => missedSamples(clickhouse, source));
      if (span !== undefined) await this.computeDays(source, [minuteStep, fleetStep, hourStep], daysOf(span));
      const before = await this.database.use((clickhouse) => missedFleet(clickhouse, source));
      if (before !== undefined) await this.computeDays(source, [fleetStep], daysOf(before).reverse());
    }
  }

  private async computeDays(
    source: SampleSource,
    steps: readonly RollUpStep[],
    days: readonly { from: number; to: number }[],
  ): Promise<void> {
    for (const day of days) {
      await this.database.use(async (clickhouse) => {
        for (const step of steps) await computeRollUp(clickhouse, source, step, { ...day, entities: undefined });
      });
    }
  }
}

/** Stands for all workers where a bucket is theirs together. */
const EVERYBODY = '';

/** Whole hours, in pieces of a day at most, oldest first. */
function daysOf(span: { from: number; to: number }): { from: number; to: number }[] {
  const end = Math.floor(span.to / HOUR) * HOUR + HOUR;
  const days: { from: number; to: number }[] = [];
  for (let from = Math.floor(span.from / HOUR) * HOUR; from < end; from += DAY) {
    days.push({ from, to: Math.min(from + DAY, end) });
  }
  return days;
}
