import { fileURLToPath } from 'node:url';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { freePort } from '@gantry/testing/free-port';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { ServiceProcess } from '@gantry/testing/service-process.fixture';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { durableOf } from './adapters/in/durables.js';
import { ClickHouseHttp } from './testing/clickhouse-http.fixture.js';
import { taskAssigned, taskCommit, taskStarted, taskSubmitted, taskSucceeded } from './testing/stream-messages.js';

const program = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));
/** Published at a time until both processes have stored some: one that fetches may take all that is there, the other only gets the next ones. */
const PORTION = 50;
/** Published while nothing can be stored, so that both have their hands full at the moment of death. */
const HELD = 100;
/** Published after it. */
const AFTER = 200;
const LINES = 3;
const ACK_WAIT_MS = 10_000;
const MINUTE = 60_000;
const start = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;
const idOf = (index: number) => deterministicId('task', String(index));
const durables = [streams.tasks, streams.logs, streams.metrics];

let nats: NatsServerFixture;
let nc: NatsConnection;
let server: ClickHouseHttp;
let clickhouse: ClickHouse;
const running: ServiceProcess[] = [];

interface Replica {
  readonly process: ServiceProcess;
  readonly metricsPort: number;
}

async function replica(): Promise<Replica> {
  const metricsPort = await freePort();
  const process = await ServiceProcess.start(program, {
    NATS_URL: nats.url,
    CLICKHOUSE_URL: server.url,
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'warn',
  });
  running.push(process);
  return { process, metricsPort };
}

async function storedBy({ metricsPort }: Replica, stream: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(
    new RegExp(`gantry_telemetry_messages_total\\{[^}]*stream="${stream}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0,
  );
}

async function publishTask(index: number): Promise<void> {
  const taskId = idOf(index);
  const commits = [
    taskCommit(taskId, 1, taskSubmitted({ name: `task ${index}`, submittedAt: start })),
    taskCommit(taskId, 2, taskAssigned('w1')),
    taskCommit(taskId, 3, taskStarted(start + 1_000)),
    taskCommit(taskId, 4, taskSucceeded(start + 2_000)),
  ];
  for (const commit of commits) await publishJson(nc, subjects.task(taskId), commit, { msgId: commit.id });
  for (let seq = 1; seq <= LINES; seq += 1) {
    const lines = [{ seq, n: seq, stream: 'stdout', t: start, text: `line ${seq}` }];
    await publishJson(nc, subjects.logs('w1', taskId), {
      taskId,
      attempt: 1,
      workerId: 'w1',
      lines,
      end: seq === LINES,
    });
  }
  const sample = { taskId, attempt: 1, t: start, cpuPercent: index, memoryUsedMb: 1, memoryLimitMb: 8, processes: 1 };
  const rates = {
    networkRxBytesPerSecond: 0,
    networkTxBytesPerSecond: 0,
    diskReadBytesPerSecond: 0,
    diskWriteBytesPerSecond: 0,
  };
  const tasks = [{ ...sample, ...rates }];
  await publishJson(nc, subjects.metrics('w1'), {
    workerId: 'w1',
    session: 's',
    sequence: index,
    gpus: [],
    host: [],
    tasks,
  });
}

async function publishTasks(from: number, to: number): Promise<void> {
  const lane = async (first: number) => {
    for (let index = from + first; index < to; index += 8) await publishTask(index);
  };
  await Promise.all(Array.from({ length: 8 }, (_, first) => lane(first)));
}

const rowOf = async (sql: string) => (await clickhouse.queryTuples(sql, {}, z.array(z.unknown())))[0];

beforeAll(async () => {
  nats = await startNatsServer();
  nc = await connectNats({ url: nats.url, name: 'publisher' });
  for (const definition of [streams.tasks, streams.archive, streams.auth, streams.assign, streams.sched])
    await ensureStream(nc, definition);
  server = await ClickHouseHttp.create(await freePort());
  await server.start();
  clickhouse = connectClickHouse({ url: server.url });
});
afterAll(async () => {
  await Promise.all(running.map((process) => process.stop()));
  await clickhouse.close();
  await nc.close();
  await nats.stop();
  await server.close();
});

it('two processes share the work, and kill -9 of one in the middle loses and doubles no row', async () => {
  const [doomed, survivor] = await Promise.all([replica(), replica()]);
  let published = 0;
  const publish = async (tasks: number) => {
    await publishTasks(published, published + tasks);
    published += tasks;
  };
  await eventually(
    async () => {
      await publish(PORTION);
      for (const one of [doomed, survivor]) expect(await storedBy(one, streams.tasks.name)).toBeGreaterThan(100);
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
  await server.stop();
  await publish(HELD);
  const jsm = await manager(nc);
  await eventually(async () => {
    const info = await jsm.consumers.info(streams.tasks.name, durableOf(streams.tasks.name));
    expect(info.num_pending).toBe(0);
    expect(info.num_ack_pending).toBeGreaterThanOrEqual(HELD * 4);
  });
  doomed.process.signal('SIGKILL');
  await doomed.process.exited;
  await server.start();
  // As the supervisor does it.
  const replacement = await replica();
  await publish(AFTER);
  // What the dead one had in hand comes again when its acknowledgement is overdue. A minute is the product's; the rest is the same with less.
  await eventually(
    async () => {
      for (const { name } of durables) {
        const info = await jsm.consumers.info(name, durableOf(name));
        // A process that starts late sets the minute again.
        if (info.config.ack_wait !== nanos(ACK_WAIT_MS))
          await jsm.consumers.update(name, durableOf(name), { ack_wait: nanos(ACK_WAIT_MS) });
        expect([name, info.num_pending, info.num_ack_pending]).toEqual([name, 0, 0]);
      }
    },
    { timeoutMs: 120_000, intervalMs: 250 },
  );
  expect(await storedBy(replacement, streams.tasks.name)).toBeGreaterThan(0);
  expect(
    await rowOf(`SELECT count(), uniqExact(aggregate_id, version), min(n), max(n) FROM
      (SELECT aggregate_id, version, count() OVER (PARTITION BY aggregate_id) AS n FROM commits FINAL WHERE stream = 'TASKS')`),
  ).toEqual([published * 4, published * 4, 4, 4]);
  expect(
    await rowOf(`SELECT count(), uniqExact(id), countIf(status = 'succeeded' AND version = 4 AND worker_id = 'w1'
      AND started_at = ${start + 1_000} AND finished_at = ${start + 2_000}) FROM task_index FINAL`),
  ).toEqual([published, published, published]);
  expect(await rowOf('SELECT count(), uniqExact(task_id, seq) FROM task_logs FINAL')).toEqual([
    published * LINES,
    published * LINES,
  ]);
  expect(await rowOf(`SELECT count(), countIf(last_seq = ${LINES} AND ended = 1) FROM log_attempts FINAL`)).toEqual([
    published,
    published,
  ]);
  const sum = (published * (published - 1)) / 2;
  expect(await rowOf('SELECT count(), sum(cpu_percent) FROM task_samples FINAL')).toEqual([published, sum]);
  // Also of the minutes that only the dead one knew to be due.
  await eventually(
    async () =>
      expect(await rowOf('SELECT sum(cpu_percent_count), sum(cpu_percent_sum) FROM task_samples_1m FINAL')).toEqual([
        published,
        sum,
      ]),
    { timeoutMs: 20_000 },
  );
}, 240_000);
