import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { getSeries } from '@gantry/contracts/telemetry/telemetry-requests';
import { RequestClient } from '@gantry/jetstream/request-client';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { measured, percentile, ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { ServiceSystem } from '../system/service-system.js';
import { until } from '../system/until.js';
import { fillWithSamples, gpuColumns, gpuRows, metricBatch, ROWS_PER_BATCH } from './metric-samples.js';

const FIVE_MINUTES = 300;
const DAY = 86_400_000;
const DURABLE = `telemetry-${streams.metrics.name.toLowerCase()}`;
const INSERT_ROWS = 10_000;
/** As many as telemetry stores at once of a full stream. */
const LIKE_OURS_ROWS = 16_000;
const context: RequestContext = {
  actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
  correlationId: 'bench',
};

interface Rate {
  readonly rowsPerSecond: number;
  /** Microseconds of CPU for a row, of all threads that took part: telemetry and broker, or this process. */
  readonly cpuPerRow: number;
}

/** Of telemetry and a stream that fills faster than it is read, from the moment when all is in it to the last confirmation. */
async function ingestRate(system: ServiceSystem, batches: number, round: number): Promise<Rate> {
  const base = Date.now() - 3_600_000;
  const jsm = await manager(system.nc);
  const messages = Array.from({ length: batches }, (_, index) => {
    const batch = metricBatch(`ingest-${round}-${index % 100}`, index, base);
    return { subject: subjects.metrics(batch.workerId), payload: JSON.stringify(batch) };
  });
  const stored = async (): Promise<number> => (await jsm.streams.info(streams.metrics.name)).state.last_seq;
  const target = (await stored()) + batches;
  const clock = system.cpuClock();
  for (const [index, { subject, payload }] of messages.entries()) {
    system.nc.publish(subject, payload);
    if (index % 500 === 0) await system.nc.flush();
  }
  await until(async () => (await stored()) >= target, 60_000);
  const openMessages = async (): Promise<number> => {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(streams.metrics.name, DURABLE);
    return num_pending + num_ack_pending;
  };
  const open = await openMessages();
  const startedAt = performance.now();
  await until(async () => (await openMessages()) === 0, 120_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (open < batches / 2) throw new Error('Too few batches: most were stored before all were sent.');
  const cpuSeconds = [...clock.read().values()].reduce((sum, { all }) => sum + all, 0);
  return {
    rowsPerSecond: (open * ROWS_PER_BATCH) / seconds,
    cpuPerRow: (cpuSeconds * 1e6) / (batches * ROWS_PER_BATCH),
  };
}

/** Of the same samples through the same client into the same table of a folder of its own, with nothing else to do. */
async function bareRate(clickhouse: ClickHouse, batches: number, round: number, insertRows: number): Promise<Rate> {
  const base = Date.now() - 3_600_000;
  const rows = Array.from({ length: batches }, (_, index) =>
    gpuRows(metricBatch(`bare-${insertRows}-${round}-${index % 100}`, index, base)),
  ).flat();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  for (let at = 0; at < rows.length; at += insertRows) {
    await clickhouse.insert('gpu_samples', gpuColumns, rows.slice(at, at + insertRows), { allCores: true });
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { rowsPerSecond: rows.length / seconds, cpuPerRow: (user + system) / rows.length };
}

const telemetryFolder = (system: ServiceSystem): string => join(system.folder, 'clickhouse');
/** A process can open one folder only, and only one process may: this is the one of the bench. */
const ownFolder = (system: ServiceSystem): string => join(system.folder, 'bare');

async function withEngine<T>(system: ServiceSystem, work: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
  const clickhouse = connectClickHouse({ path: ownFolder(system) });
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

/** What the chart of one machine asks of the samples: a line for each GPU. */
const SERIES_OF_WORKER = `SELECT intDiv(t, {width:Int64}) * {width:Int64} AS start, avg(utilization_percent) FROM gpu_samples FINAL
   WHERE worker_id = 'sampled-1' AND t >= {from:Int64} AND t < {to:Int64} GROUP BY gpu_id, start ORDER BY gpu_id, start`;

/** Its merges would be part of what is measured meanwhile. */
async function whileFrozen<T>(system: ServiceSystem, work: () => Promise<T>): Promise<T> {
  const pid = system.pidOf('telemetry');
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

async function run({ quick, profileFolder, log }: BenchContext): ReturnType<Bench['run']> {
  const batches = quick ? 2_000 : 8_000;
  const rounds = quick ? 1 : 3;
  const workers = quick ? 2 : 125;
  const system = await ServiceSystem.start(['telemetry'], profileFolder);
  try {
    await ensureStream(system.nc, streams.metrics);
    // Its first start has made the tables, which the bare inserts get; it makes itself new ones.
    await system.stopService('telemetry');
    renameSync(telemetryFolder(system), ownFolder(system));
    await system.startService('telemetry');
    const rates: Record<'ours' | 'bare' | 'likeOurs', Rate[]> = { ours: [], bare: [], likeOurs: [] };
    const bare = (round: number, insertRows: number) =>
      withEngine(system, (clickhouse) => bareRate(clickhouse, batches, round, insertRows));
    // The first round is a warm-up. Telemetry stays, as it does in life: a start does other work too.
    for (let round = 0; round <= rounds; round += 1) {
      const now = {
        ours: await ingestRate(system, batches, round),
        ...(await whileFrozen(system, async () => ({
          bare: await bare(round, INSERT_ROWS),
          likeOurs: await bare(round, LIKE_OURS_ROWS),
        }))),
      };
      for (const [who, { rowsPerSecond, cpuPerRow }] of Object.entries(now))
        log(`${who} ${rowsPerSecond.toFixed(0)} rows/s, ${cpuPerRow.toFixed(2)} us of CPU a row`);
      if (round === 0) continue;
      for (const who of ['ours', 'bare', 'likeOurs'] as const) rates[who].push(now[who]);
    }
    await system.stopService('telemetry');
    rmSync(telemetryFolder(system), { recursive: true });
    symlinkSync(ownFolder(system), telemetryFolder(system));
    // Or it would store all of them again, in tables that do not know them.
    await (await manager(system.nc)).streams.purge(streams.metrics.name);
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
    const [rawOfWorker, raw, minutes] = await withEngine(system, async (clickhouse) => {
      const ask = (sql: string) => () =>
        clickhouse.queryTuples(sql, { ...range, width: FIVE_MINUTES * 1_000 }, z.tuple([z.number(), z.number()]));
      return [
        await p95(quick, ask(SERIES_OF_WORKER)),
        await p95(quick, ask(fleet('gpu_samples', 't', 'avg(utilization_percent)'))),
        await p95(
          quick,
          ask(fleet('gpu_samples_1m', 'bucket', 'sum(utilization_percent_sum) / sum(utilization_percent_count)')),
        ),
      ];
    });
    const spread = (who: keyof typeof rates, of: keyof Rate): Spread => spreadOf(rates[who].map((rate) => rate[of]));
    const ours = spread('ours', 'rowsPerSecond');
    const ingest = (who: 'bare' | 'likeOurs', rows: number): Figure => {
      const value = spread(who, 'rowsPerSecond');
      const name = `the same client, the rows in memory, ${rows.toLocaleString('en-US')} an insert`;
      const what = 'metric batches from the stream into the sample tables';
      return { what, unit: 'rows/s', ours, beside: { name, value }, ratio: ratioOf(ours, value), goal: '>= 0.8 x' };
    };
    const cpu = (who: keyof typeof rates): string => {
      const { median, min, max } = spread(who, 'cpuPerRow');
      return `${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`;
    };
    return {
      figures: [
        ingest('bare', INSERT_ROWS),
        ingest('likeOurs', LIKE_OURS_ROWS),
        {
          ...{ what: "24 h of one worker's 8 GPUs, request and answer, p95", unit: 'ms', ours: oneWorker },
          beside: { name: 'the same in SQL from the samples', value: rawOfWorker },
          ...{ ratio: ratioOf(oneWorker, rawOfWorker), goal: '< 20' },
        },
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
        `CPU of a row, microseconds: ${cpu('ours')} of telemetry and the broker, ${cpu('bare')} and ${cpu('likeOurs')} of the bare inserts; merges that go on in the background are in all of them.`,
        'Telemetry is frozen while the bare inserts run, so each has the machine for itself. It has been running since before the first round, which is a warm-up and not counted.',
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
