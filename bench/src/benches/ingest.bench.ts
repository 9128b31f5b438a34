import { join } from 'node:path';
import { z } from 'zod';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { getSeries } from '@gantry/contracts/telemetry/telemetry-requests';
import { RequestClient } from '@gantry/jetstream/request-client';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import type { Bench, BenchContext } from '../harness/bench.port.js';
import { measured, percentile, ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { ServiceSystem } from '../system/service-system.js';
import { until } from '../system/until.js';
import { fillWithSamples, gpuColumns, gpuRows, metricBatch, ROWS_PER_BATCH } from './metric-samples.js';

const FIVE_MINUTES = 300;
const DAY = 86_400_000;
const DURABLE = `telemetry-${streams.metrics.name.toLowerCase()}`;
const INSERT_ROWS = 10_000;
const context: RequestContext = {
  actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
  correlationId: 'bench',
};

/** Rows a second that telemetry takes from a stream full of batches, from its first confirmation to its last. */
async function ingestRate(system: ServiceSystem, batches: number, round: number): Promise<number> {
  const base = Date.now() - 3_600_000;
  for (let index = 0; index < batches; index += 1) {
    const batch = metricBatch(`ingest-${round}-${index % 100}`, index, base);
    system.nc.publish(subjects.metrics(batch.workerId), JSON.stringify(batch));
    if (index % 500 === 0) await system.nc.flush();
  }
  await system.nc.flush();
  const jsm = await manager(system.nc);
  await until(
    async () => (await jsm.streams.info(streams.metrics.name)).state.messages >= batches * (round + 1),
    60_000,
  );
  await system.startService('telemetry');
  let first: { at: number; open: number } | undefined;
  await until(async () => {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(streams.metrics.name, DURABLE);
    const open = num_pending + num_ack_pending;
    if (open < batches) first ??= { at: performance.now(), open };
    return open === 0;
  }, 120_000);
  if (first === undefined || first.open === 0) throw new Error('Too few batches: all were stored at once.');
  const seconds = (performance.now() - first.at) / 1_000;
  await system.stopService('telemetry');
  return (first.open * ROWS_PER_BATCH) / seconds;
}

/** Rows a second of the same samples through the same client into the same table, with nothing else to do. */
async function bareRate(clickhouse: ClickHouse, batches: number, round: number): Promise<number> {
  const base = Date.now() - 3_600_000;
  const rows = Array.from({ length: batches }, (_, index) =>
    gpuRows(metricBatch(`bare-${round}-${index % 100}`, index, base)),
  ).flat();
  const startedAt = performance.now();
  for (let at = 0; at < rows.length; at += INSERT_ROWS) {
    await clickhouse.insert('gpu_samples', gpuColumns, rows.slice(at, at + INSERT_ROWS));
  }
  return rows.length / ((performance.now() - startedAt) / 1_000);
}

async function withEngine<T>(system: ServiceSystem, work: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
  const clickhouse = connectClickHouse({ path: join(system.folder, 'clickhouse') });
  try {
    await clickhouse.ensureDatabase();
    return await work(clickhouse);
  } finally {
    await clickhouse.close();
  }
}

const milliseconds = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/** p95 of `calls` calls, several rounds of them. */
async function p95(quick: boolean, work: () => Promise<unknown>): Promise<Spread> {
  const calls = quick ? 3 : 20;
  return measured({ warmUp: 1, rounds: quick ? 1 : 3 }, async () => {
    const times: number[] = [];
    for (let call = 0; call < calls; call += 1) times.push(await milliseconds(work));
    return percentile(times, 0.95);
  });
}

/** What a chart of all machines asks of a table. */
const fleet = (table: string, time: string, average: string): string =>
  `SELECT intDiv(${time}, {width:Int64}) * {width:Int64} AS start, ${average} FROM ${table} FINAL
   WHERE ${time} >= {from:Int64} AND ${time} < {to:Int64} GROUP BY start ORDER BY start`;

async function run({ quick, profileFolder, log }: BenchContext): ReturnType<Bench['run']> {
  const batches = quick ? 2_000 : 8_000;
  const rounds = quick ? 1 : 3;
  const workers = quick ? 2 : 125;
  const system = await ServiceSystem.start(['telemetry'], profileFolder);
  try {
    await ensureStream(system.nc, streams.metrics);
    // Its first start has made the tables; from now on it runs only while it is measured, because one process owns the folder.
    await system.stopService('telemetry');
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      rates.ours.push(await ingestRate(system, batches, round));
      rates.bare.push(await withEngine(system, (clickhouse) => bareRate(clickhouse, batches, round)));
      log(`ingest ${rates.ours.at(-1)?.toFixed(0)}, bare ${rates.bare.at(-1)?.toFixed(0)} rows/s`);
    }
    const to = Math.floor(Date.now() / DAY) * DAY;
    const range = { from: to - DAY, to };
    const filling = await milliseconds(() =>
      withEngine(system, (clickhouse) => fillWithSamples(clickhouse, workers, range.from)),
    );
    log(`${workers * 8 * 17_280} samples written in ${(filling / 1_000).toFixed(0)} s`);
    await system.startService('telemetry');
    const client = new RequestClient(system.nc);
    const input = {
      source: { kind: 'gpu' as const, workerId: 'sampled-1' },
      metrics: ['utilization_percent'],
      ...range,
      bucketSeconds: FIVE_MINUTES,
    };
    const read = () => client.request(getSeries, input, context);
    // At its start telemetry computes the minutes of what it finds; the chart reads those.
    // It may be too busy with that to answer.
    const pointsOf = async (ask: typeof read): Promise<number> =>
      (await ask().catch(() => undefined))?.series.reduce((sum, { points }) => sum + points.length, 0) ?? 0;
    await until(async () => (await pointsOf(read)) === 8 * 288, 240_000);
    const oneWorker = await p95(quick, read);
    const fleetInput = { ...input, source: { kind: 'fleet_gpu' as const } };
    const readFleet = () => client.request(getSeries, fleetInput, context);
    await until(async () => (await pointsOf(readFleet)) === 288, 240_000);
    const wholeFleet = await p95(quick, readFleet);
    await system.stopService('telemetry');
    const [raw, minutes] = await withEngine(system, async (clickhouse) => {
      const ask = (sql: string) => () =>
        clickhouse.queryTuples(sql, { ...range, width: FIVE_MINUTES * 1_000 }, z.tuple([z.number(), z.number()]));
      return [
        await p95(quick, ask(fleet('gpu_samples', 't', 'avg(utilization_percent)'))),
        await p95(
          quick,
          ask(fleet('gpu_samples_1m', 'bucket', 'sum(utilization_percent_sum) / sum(utilization_percent_count)')),
        ),
      ];
    });
    const [ours, bare] = [spreadOf(rates.ours), spreadOf(rates.bare)];
    return {
      figures: [
        {
          ...{ what: 'metric batches from the stream into the sample tables', unit: 'rows/s', ours },
          beside: { name: 'the same client, the rows in memory, 10,000 an insert', value: bare },
          ...{ ratio: ratioOf(ours, bare), goal: '>= 0.8 x' },
        },
        { what: "24 h of one worker's 8 GPUs, request and answer, p95", unit: 'ms', ours: oneWorker, goal: '< 20' },
        {
          ...{ what: '24 h of the whole fleet, request and answer, p95', unit: 'ms', ours: wholeFleet },
          beside: { name: 'the same in SQL from the samples', value: raw },
          ...{ ratio: ratioOf(wholeFleet, raw), goal: '< 50' },
        },
        {
          ...{ what: '24 h of the whole fleet, request and answer, p95', unit: 'ms', ours: wholeFleet },
          beside: { name: "the same in SQL from each GPU's minutes", value: minutes },
          ...{ ratio: ratioOf(wholeFleet, minutes), goal: '< 50' },
        },
      ],
      notes: [
        `The queries go over ${(workers * 8 * 17_280).toLocaleString('en-US')} samples: ${workers} workers, 8 GPUs each, every 5 s for 24 h, 5-minute buckets.`,
      ],
    };
  } finally {
    await system.stop();
  }
}

export const ingestBench: Bench = {
  name: 'ingest',
  title: 'Metrics into ClickHouse beside the bare insert, and charts out of it',
  limitSeconds: 420,
  run,
};
