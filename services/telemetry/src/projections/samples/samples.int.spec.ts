import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';
import { subjects } from '@gantry/contracts/messaging/streams';
import {
  getSeries,
  gpuMetrics,
  hostMetrics,
  MAX_POINTS,
  taskMetrics,
} from '@gantry/contracts/telemetry/telemetry-requests';
import { ManualClock } from '@gantry/kernel/clock';
import { deterministicId } from '@gantry/kernel/ids';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { sampleSources, tableOf } from '../../domain/series/sample-sources.js';
import { applyRetention } from '../../migrations/retention.js';
import { EmbeddedDatabase } from '../../testing/embedded-database.js';
import { gpuSample, hostSample, taskSample } from '../../testing/metric-samples.js';
import { messageOf } from '../../testing/stream-messages.js';
import { SampleRollUp } from './samples.roll-up.js';
import { SamplesProjection } from './samples.projection.js';
import { SeriesReader } from './series.reader.js';

const HOUR = 3_600_000;
// The engine's own clock decides about retention, so the samples are of today: the start of an hour some hours ago.
const BASE = Math.floor(Date.now() / HOUR) * HOUR - 10 * HOUR;
const clock = new ManualClock(BASE + 10 * HOUR);
const taskA = deterministicId('task', 'a');
const taskB = deterministicId('task', 'b');
let database: EmbeddedDatabase;
let rollUp: SampleRollUp;
let projection: SamplesProjection;
let reader: SeriesReader;

const tables = Object.values(sampleSources).flatMap((source) =>
  (['raw', 'minute', 'hour'] as const).map((resolution) => tableOf(source, resolution)),
);

beforeAll(async () => {
  database = await EmbeddedDatabase.open();
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of tables) await database.clickhouse.command(`TRUNCATE TABLE ${table}`);
  rollUp = new SampleRollUp(database);
  projection = new SamplesProjection(database, rollUp, clock, 30);
  reader = new SeriesReader(database, { rawDays: 30, minuteDays: 120 }, 1_000_000);
});

let sequence = 0;
const batch = (samples: Partial<Pick<MetricBatch, 'gpus' | 'host' | 'tasks'>>, workerId = 'w1') => {
  sequence += 1;
  return messageOf(subjects.metrics(workerId), sequence, {
    workerId,
    session: 's',
    sequence,
    gpus: [],
    host: [],
    tasks: [],
    ...samples,
  });
};
const read = (input: object) =>
  reader.read(getSeries.input.parse({ from: BASE, to: BASE + HOUR, ...input }), clock.now());
const host = { kind: 'host', workerId: 'w1' };
const cpu = async (input: object) =>
  (await read({ source: host, metrics: ['cpu_percent'], ...input })).series[0]?.points;

describe('averages', () => {
  it('are the same at every resolution, with buckets of the epoch and no empty ones', async () => {
    const samples = [0, 5, 10, 65, 3_605].map((second, index) => hostSample(BASE + second * 1_000, index * 10));
    await projection.apply([batch({ host: samples })]);
    await rollUp.flush(true);
    expect(await cpu({ bucketSeconds: 10 })).toEqual([
      [BASE, 5],
      [BASE + 10_000, 20],
      [BASE + 60_000, 30],
    ]);
    expect(await cpu({ bucketSeconds: 60 })).toEqual([
      [BASE, 10],
      [BASE + 60_000, 30],
    ]);
    expect(await cpu({ bucketSeconds: 3_600, to: BASE + 2 * HOUR })).toEqual([
      [BASE, 15],
      [BASE + HOUR, 40],
    ]);
  });

  it('do not change when messages come again, in other batches and after a restart', async () => {
    const first = batch({
      host: [hostSample(BASE, 10), hostSample(BASE + 5_000, 20)],
      gpus: [gpuSample(BASE, 10), gpuSample(BASE + 5_000, 30)],
    });
    const second = batch({ host: [hostSample(BASE + 10_000, 90)], gpus: [gpuSample(BASE + 10_000, 50)] });
    await projection.apply([first]);
    await rollUp.flush(true);
    await projection.apply([first, second]);
    await rollUp.flush(true);
    const restarted = new SampleRollUp(database);
    await new SamplesProjection(database, restarted, clock, 30).apply([second, first, first]);
    await restarted.flush(true);
    for (const bucketSeconds of [30, 60, 3_600]) {
      expect(await cpu({ bucketSeconds })).toEqual([[BASE, 40]]);
      const { series } = await read({
        source: { kind: 'gpu', workerId: 'w1' },
        metrics: ['utilization_percent'],
        bucketSeconds,
      });
      expect(series).toEqual([
        { metric: 'utilization_percent', key: 'GPU-0', label: 'GPU 0 (NVIDIA A100)', points: [[BASE, 30]] },
      ]);
    }
  });

  it('take a late sample into its old bucket', async () => {
    await projection.apply([batch({ host: [hostSample(BASE, 10)] })]);
    await rollUp.flush(true);
    await projection.apply([batch({ host: [hostSample(BASE + 1_000, 30)] })]);
    await rollUp.flush(true);
    expect(await cpu({ bucketSeconds: 60 })).toEqual([[BASE, 20]]);
    expect(await cpu({ bucketSeconds: 3_600 })).toEqual([[BASE, 20]]);
  });

  it('leave out what the device does not tell instead of counting zeros', async () => {
    await projection.apply([batch({ gpus: [gpuSample(BASE, null), gpuSample(BASE + 5_000, 80)] })]);
    await rollUp.flush(true);
    for (const bucketSeconds of [10, 60]) {
      const { series } = await read({
        source: { kind: 'gpu', workerId: 'w1' },
        metrics: ['utilization_percent', 'sm_clock_mhz'],
        bucketSeconds,
      });
      expect(series.map(({ metric, points }) => [metric, points])).toEqual([
        ['utilization_percent', [[BASE, 80]]],
        ['sm_clock_mhz', []],
      ]);
    }
  });

  it('are rolled up after a crash between insert and roll-up', async () => {
    await projection.apply([batch({ host: [hostSample(BASE, 10), hostSample(BASE + 2 * HOUR, 50)] })]);
    await new SampleRollUp(database).catchUp();
    expect(await cpu({ bucketSeconds: 60, to: BASE + 3 * HOUR })).toEqual([
      [BASE, 10],
      [BASE + 2 * HOUR, 50],
    ]);
    expect(await cpu({ bucketSeconds: 3_600, to: BASE + 3 * HOUR })).toEqual([
      [BASE, 10],
      [BASE + 2 * HOUR, 50],
    ]);
  });

  it('a roll-up that failed is done by the next one', async () => {
    let down = false;
    const shaky = new SampleRollUp({ use: (work) => (down ? Promise.reject(new Error('away')) : database.use(work)) });
    await new SamplesProjection(database, shaky, clock, 30).apply([
      batch({ host: [hostSample(BASE, 10), hostSample(BASE + 10 * 60_000, 20)] }),
    ]);
    down = true;
    await expect(shaky.flush(true)).rejects.toThrow('away');
    down = false;
    await shaky.flush(true);
    expect(await cpu({ bucketSeconds: 60 })).toEqual([
      [BASE, 10],
      [BASE + 10 * 60_000, 20],
    ]);
    expect(await cpu({ bucketSeconds: 3_600 })).toEqual([[BASE, 15]]);
  });
});

describe('sources', () => {
  it('GPUs of a task are those it held, on any worker, while it held them', async () => {
    await projection.apply([
      batch({
        gpus: [
          gpuSample(BASE, 10, { taskId: taskA }),
          gpuSample(BASE + 5_000, 99, { taskId: taskB }),
          gpuSample(BASE, 20, { gpuId: 'GPU-1', gpuIndex: 1, taskId: taskA }),
        ],
      }),
      batch({ gpus: [gpuSample(BASE + 60_000, 30, { gpuId: 'GPU-7', gpuIndex: 7, taskId: taskA })] }, 'w2'),
    ]);
    await rollUp.flush(true);
    for (const bucketSeconds of [30, 60, 3_600]) {
      const { series } = await read({
        source: { kind: 'gpu', taskId: taskA },
        metrics: ['utilization_percent'],
        bucketSeconds,
      });
      expect(series.map(({ key, points }) => [key, points.map(([, value]) => value)])).toEqual([
        ['GPU-0', [10]],
        ['GPU-1', [20]],
        ['GPU-7', [30]],
      ]);
    }
  });

  it('a task has all its attempts or the one asked for', async () => {
    await projection.apply([batch({ tasks: [taskSample(taskA, BASE, 100), taskSample(taskA, BASE + 60_000, 50, 2)] })]);
    await rollUp.flush(true);
    const task = { kind: 'task', taskId: taskA };
    const values = async (source: object, bucketSeconds: number) =>
      (await read({ source, metrics: ['cpu_percent'], bucketSeconds })).series[0]?.points.map(([, value]) => value);
    for (const bucketSeconds of [30, 60]) {
      expect(await values(task, bucketSeconds)).toEqual([100, 50]);
      expect(await values({ ...task, attempt: 2 }, bucketSeconds)).toEqual([50]);
    }
    expect(await values({ kind: 'task', taskId: taskB }, 60)).toBeUndefined();
  });

  it('every metric of the contract can be read at every resolution', async () => {
    await projection.apply([
      batch({ host: [hostSample(BASE, 1)], gpus: [gpuSample(BASE, 1)], tasks: [taskSample(taskA, BASE, 1)] }),
    ]);
    await rollUp.flush(true);
    for (const bucketSeconds of [1, 60, 3_600]) {
      expect((await read({ source: host, metrics: hostMetrics, bucketSeconds })).series).toHaveLength(
        hostMetrics.length,
      );
      expect(
        (await read({ source: { kind: 'gpu', workerId: 'w1' }, metrics: gpuMetrics, bucketSeconds })).series,
      ).toHaveLength(gpuMetrics.length);
      expect(
        (await read({ source: { kind: 'task', taskId: taskA }, metrics: taskMetrics, bucketSeconds })).series,
      ).toHaveLength(taskMetrics.length);
    }
  });

  it.each([
    [{ source: { kind: 'host', workerId: 'w1' }, metrics: ['power_watts'] }, 'metrics'],
    [{ source: { kind: 'gpu' }, metrics: ['power_watts'] }, 'source'],
    [{ source: { kind: 'host', workerId: 'w1' }, metrics: ['load1'], to: BASE }, 'to'],
  ])('refuses %o', async (input, path) => {
    await expect(read(input)).rejects.toMatchObject({ code: 'INPUT.INVALID', kind: 'invalid', fields: [{ path }] });
  });
});

describe('limits', () => {
  it('no series has too many points, and many series still fit one reply', async () => {
    const gpus = Array.from({ length: 8 }, (_, gpu) =>
      Array.from({ length: 900 }, (_, index) => gpuSample(BASE + index * 1_000, index, { gpuId: `GPU-${gpu}` })),
    ).flat();
    await projection.apply([batch({ gpus })]);
    const small = new SeriesReader(database, { rawDays: 30, minuteDays: 120 }, 50_000);
    const input = getSeries.input.parse({
      source: { kind: 'gpu', workerId: 'w1' },
      metrics: ['utilization_percent', 'power_watts'],
      from: BASE,
      to: BASE + 900_000,
      bucketSeconds: 1,
    });
    const wide = await reader.read(input, clock.now());
    expect(wide.bucketSeconds).toBe(1);
    expect(Math.max(...wide.series.map(({ points }) => points.length))).toBe(900);
    const fitted = await small.read(input, clock.now());
    expect(fitted.series).toHaveLength(16);
    expect(JSON.stringify(fitted).length).toBeLessThan(50_000 + 16 * 100);
    expect(Math.max(...fitted.series.map(({ points }) => points.length))).toBeLessThanOrEqual(MAX_POINTS);
  });

  it('a worker with a wrong clock fills no partitions of other years', async () => {
    await projection.apply([
      batch({ host: [hostSample(0, 1), hostSample(BASE + 40 * 365 * 24 * HOUR, 1), hostSample(BASE, 7)] }),
    ]);
    const rows = await database.clickhouse.queryTuples('SELECT t FROM host_samples', {}, z.tuple([z.number()]));
    expect(rows).toEqual([[BASE]]);
  });

  it('refuses a malformed batch for good', async () => {
    await expect(projection.apply([messageOf('metrics.w1', 1, '{"workerId":1}')])).rejects.toMatchObject({
      code: 'TELEMETRY.MALFORMED_MESSAGE',
      retryable: false,
    });
    await expect(projection.apply([messageOf('metrics.w1', 1, 'no json')])).rejects.toMatchObject({
      code: 'TELEMETRY.MALFORMED_MESSAGE',
      retryable: false,
    });
  });
});

describe('retention', () => {
  it('is set once and follows the operator', async () => {
    const statementOf = async (table: string) =>
      (
        await database.clickhouse.queryTuples(
          'SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
          { table },
          z.tuple([z.string()]),
        )
      )[0]?.[0];
    for (const metricDays of [30, 30, 7]) {
      await applyRetention(database.clickhouse, { logDays: 14, metricDays });
      expect(await statementOf('gpu_samples')).toContain(`toIntervalDay(${metricDays})`);
      expect(await statementOf('host_samples_1m')).toContain(`toIntervalDay(${metricDays * 4})`);
      expect(await statementOf('task_logs')).toContain('toIntervalDay(14)');
    }
  });

  it('drops what is over its time and keeps the rest', async () => {
    await applyRetention(database.clickhouse, { logDays: 30, metricDays: 7 });
    await projection.apply([batch({ host: [hostSample(BASE, 1), hostSample(BASE - 8 * 24 * HOUR, 2)] })]);
    await database.clickhouse.command('OPTIMIZE TABLE host_samples FINAL');
    expect(await database.clickhouse.queryTuples('SELECT t FROM host_samples', {}, z.tuple([z.number()]))).toEqual([
      [BASE],
    ]);
    expect(
      await database.clickhouse.queryTuples(
        "SELECT count() FROM system.parts WHERE table = 'host_samples' AND active AND rows > 0",
        {},
        z.tuple([z.number()]),
      ),
    ).toEqual([[1]]);
  });

  it('a second call changes nothing', async () => {
    await applyRetention(database.clickhouse, { logDays: 3, metricDays: 3 });
    const alter = vi.spyOn(database.clickhouse, 'command');
    await applyRetention(database.clickhouse, { logDays: 3, metricDays: 3 });
    expect(alter).not.toHaveBeenCalled();
    await applyRetention(database.clickhouse, { logDays: 4, metricDays: 3 });
    expect(alter).toHaveBeenCalledTimes(2);
    alter.mockRestore();
  });
});
