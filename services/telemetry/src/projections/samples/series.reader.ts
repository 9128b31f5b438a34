import type { OutputOf } from '@gantry/contracts/messaging/request';
import { getSeries, MAX_POINTS } from '@gantry/contracts/telemetry/telemetry-requests';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';
import { planSeries, type SeriesPlan, type SeriesRetention, widenPlan } from '../../domain/series/series-plan.js';
import { checkSeriesInput, isFleet, type SeriesInput, seriesQuery } from './series.query.js';

type SeriesResult = OutputOf<typeof getSeries>;

const rowSchema = z.tuple([z.string(), z.number(), z.string(), z.number()], z.number().nullable());
type Row = z.output<typeof rowSchema>;

/** Minutes for as long as there is anything. */
const FLEET_RETENTION: SeriesRetention = { rawDays: Number.NEGATIVE_INFINITY, minuteDays: Number.POSITIVE_INFINITY };

/** JSON of `[1700000000000,12345.678]` and its comma, with some room. */
const BYTES_PER_POINT = 28;

export class SeriesReader {
  /** `replyBytes`: what one reply may hold. */
  constructor(
    private readonly database: Database,
    private readonly retention: SeriesRetention,
    private readonly replyBytes: number,
  ) {}

  async read(input: SeriesInput, now: number): Promise<SeriesResult> {
    checkSeriesInput(input);
    let plan = planSeries(input, isFleet(input) ? FLEET_RETENTION : this.retention, now);
    for (;;) {
      const rows = await this.rowsOf(input, plan);
      const excess = (rows.length * input.metrics.length * BYTES_PER_POINT) / this.replyBytes;
      if (excess <= 1) return { bucketSeconds: plan.bucketSeconds, series: seriesOf(input, rows) };
      // Many devices: fewer points each, so that the whole answer can be sent.
      plan = widenPlan(plan, excess);
    }
  }

  private rowsOf(input: SeriesInput, plan: SeriesPlan): Promise<Row[]> {
    const { sql, parameters } = seriesQuery(input, plan);
    return this.database.use((clickhouse) => clickhouse.queryTuples(sql, parameters, rowSchema));
  }
}

function seriesOf(input: SeriesInput, rows: readonly Row[]): SeriesResult['series'] {
  const byKey = new Map<string, SeriesResult['series']>();
  for (const [key, index, model, start, ...values] of rows) {
    let group = byKey.get(key);
    if (group === undefined) {
      const label = input.source.kind === 'gpu' ? `GPU ${index} (${model})` : '';
      group = input.metrics.map((metric) => ({ metric, key, label, points: [] }));
      byKey.set(key, group);
    }
    group.forEach((series, place) => {
      const value = values[place];
      if (value !== null && value !== undefined && series.points.length < MAX_POINTS)
        series.points.push([start, value]);
    });
  }
  return [...byKey.values()].flat();
}
