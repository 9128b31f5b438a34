import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';
import { subjects } from '@gantry/contracts/messaging/streams';
import { getSeries, gpuMetrics, hostMetrics } from '@gantry/contracts/telemetry/telemetry-requests';
import { ManualClock } from '@gantry/kernel/clock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EmbeddedDatabase } from '../../testing/embedded-database.js';
import { gpuSample, hostSample } from '../../testing/metric-samples.js';
import { messageOf } from '../../testing/stream-messages.js';
import { SampleRollUp } from './samples.roll-up.js';
import { SamplesProjection } from './samples.projection.js';
import { SeriesReader } from './series.reader.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// The engine's own clock decides about retention, so the samples are of these days: three whole ones, ended some hours ago.
const END = Math.floor(Date.now() / HOUR) * HOUR - 10 * HOUR;
const BASE = END - 3 * DAY;
const clock = new ManualClock(END + HOUR);
let database: EmbeddedDatabase;
let rollUp: SampleRollUp;
let projection: SamplesProjection;
let reader: SeriesReader;

beforeAll(async () => {
  database = await EmbeddedDatabase.open();
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const { name } of await database.clickhouse.tables())
    if (name.includes('samples')) await database.clickhouse.command(`TRUNCATE TABLE ${name}`);
  rollUp = new SampleRollUp(database);
  projection = new SamplesProjection(database, rollUp, clock, 30);
  reader = new SeriesReader(database, { rawDays: 30, minuteDays: 120 }, 1_000_000);
});

let sequence = 0;
const batchOf = (workerId: string, samples: Partial<Pick<MetricBatch, 'gpus' | 'host'>>) => {
  sequence += 1;
  const empty = { gpus: [], host: [], tasks: [] };
  return messageOf(subjects.metrics(workerId), sequence, { workerId, session: 's', sequence, ...empty, ...samples });
};

/** An hour and a half on each of three days: two GPUs and the machine at irregular times, with holes, in whole numbers so that no sum depends on its order. */
const messagesOf = (workerId: string, seed: number) =>
  Array.from({ length: 12 }, (_, part) => {
    const times = Array.from({ length: 30 }, (__, index) => {
      const step = part * 30 + index;
      const day = BASE + Math.floor(step / 120) * DAY;
      return day + ((step % 120) * 3 * MINUTE) / 4 + ((step * 7_919 + seed * 104_729) % MINUTE);
    });
    return batchOf(workerId, {
      gpus: times.flatMap((t, index) => [
        gpuSample(t, index % 7 === seed % 7 ? null : (index * 37 + seed) % 101, {
          gpuId: `${workerId}-0`,
          powerWatts: 100 + ((index * 13 + seed) % 300),
        }),
        gpuSample(t, (index * 53 + seed) % 101, { gpuId: `${workerId}-1`, gpuIndex: 1, powerWatts: null }),
      ]),
      host: times.map((t, index) => hostSample(t, (index * 29 + seed) % 101)),
    });
  });

const metricsOf = { fleet_gpu: gpuMetrics, fleet_host: hostMetrics } as const;
const range = { from: BASE + 20 * MINUTE + 1, to: BASE + 2 * DAY + HOUR + 7 * MINUTE };
const chart = (kind: keyof typeof metricsOf, bucketSeconds: number, change: object = {}) =>
  reader.read(
    getSeries.input.parse({
      source: { kind },
      metrics: [...metricsOf[kind]],
      ...range,
      bucketSeconds,
      ...change,
    }),
    clock.now(),
  );

/** The same chart from the samples themselves. */
async function fromSamples(
  kind: keyof typeof metricsOf,
  bucketSeconds: number,
): Promise<[string, [number, number][]][]> {
  const width = bucketSeconds * 1_000;
  const table = kind === 'fleet_gpu' ? 'gpu_samples' : 'host_samples';
  return Promise.all(
    metricsOf[kind].map(async (metric): Promise<[string, [number, number][]]> => [
      metric,
      await database.clickhouse.queryTuples(
        `SELECT intDiv(t, ${width}) * ${width} AS start, round(avg(${metric}), 3) AS value FROM ${table} FINAL
         WHERE t >= intDiv({from:Int64}, ${width}) * ${width} AND t < {to:Int64} GROUP BY start HAVING value IS NOT NULL ORDER BY start`,
        range,
        z.tuple([z.number(), z.number()]),
      ),
    ]),
  );
}

async function expectExact(): Promise<void> {
  for (const kind of ['fleet_gpu', 'fleet_host'] as const) {
    for (const bucketSeconds of [300, 3_600]) {
      const { series, bucketSeconds: width } = await chart(kind, bucketSeconds);
      expect(width).toBe(bucketSeconds);
      expect(series.map(({ metric, points }) => [metric, points])).toEqual(await fromSamples(kind, bucketSeconds));
      expect(Math.max(...series.map(({ points }) => points.length))).toBeGreaterThan(10_800 / bucketSeconds);
    }
  }
}

describe('charts of the whole fleet', () => {
  it('are those of the samples, whatever came twice, late or in two processes', async () => {
    const [first, second, third] = [messagesOf('w1', 1), messagesOf('w2', 2), messagesOf('w3', 3)];
    await projection.apply([...first, ...second.slice(0, 5)]);
    await rollUp.flush(true);
    await projection.apply([...first.slice(3, 6), ...second]);
    await rollUp.flush(false);
    const elsewhere = new SampleRollUp(database);
    await new SamplesProjection(database, elsewhere, clock, 30).apply([...third, ...first.slice(0, 2)]);
    await elsewhere.flush(true);
    await rollUp.flush(true);
    await expectExact();
  });

  it('are filled in for the days before they had a table', async () => {
    await projection.apply([...messagesOf('w1', 1), ...messagesOf('w2', 2)]);
    await rollUp.flush(true);
    for (const table of ['gpu_samples_fleet', 'host_samples_fleet'])
      await database.clickhouse.command(`TRUNCATE TABLE ${table}`);
    // Samples that were stored long ago: what a start looks for by their age is not there.
    for (const table of ['gpu_samples', 'host_samples'])
      await database.clickhouse.command(
        `ALTER TABLE ${table} UPDATE received_at = received_at - INTERVAL 1 DAY WHERE 1 SETTINGS mutations_sync = 1`,
      );
    await new SampleRollUp(database).catchUp();
    await expectExact();
    const computed = () =>
      database.clickhouse.queryTuples(
        'SELECT count(), max(computed_at) FROM gpu_samples_fleet',
        {},
        z.array(z.unknown()),
      );
    const before = await computed();
    await new SampleRollUp(database).catchUp();
    expect(await computed()).toEqual(before);
  });

  it('go on filling in where a start was interrupted', async () => {
    await projection.apply(messagesOf('w1', 1));
    await rollUp.flush(true);
    for (const table of ['gpu_samples_fleet', 'host_samples_fleet'])
      await database.clickhouse.command(
        `ALTER TABLE ${table} DELETE WHERE bucket < ${BASE + 2 * DAY} SETTINGS mutations_sync = 1`,
      );
    await new SampleRollUp(database).catchUp();
    await expectExact();
  });

  it('are by the minute at the finest', async () => {
    await projection.apply([
      batchOf('w1', { host: [hostSample(BASE, 10), hostSample(BASE + 30_000, 20)] }),
      batchOf('w2', { host: [hostSample(BASE + 1_000, 60), hostSample(BASE + MINUTE, 5)] }),
    ]);
    await rollUp.flush(true);
    const { bucketSeconds, series } = await chart('fleet_host', 5, {
      metrics: ['cpu_percent'],
      from: BASE,
      to: BASE + HOUR,
    });
    expect(bucketSeconds).toBe(60);
    expect(series).toEqual([
      {
        metric: 'cpu_percent',
        key: '',
        label: '',
        points: [
          [BASE, 30],
          [BASE + MINUTE, 5],
        ],
      },
    ]);
  });

  it('have the metrics of their machines only', async () => {
    await expect(chart('fleet_host', 60, { metrics: ['power_watts'] })).rejects.toMatchObject({
      code: 'INPUT.INVALID',
      fields: [{ path: 'metrics' }],
    });
  });
});
