import type { Actor } from '@gantry/contracts/messaging/actor';
import { getHealth } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { readLogs, searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { freePort } from '@gantry/testing/free-port';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readEnvironment } from './environment.js';
import { TelemetryModule } from './telemetry.module.js';
import { ClickHouseHttp } from './testing/clickhouse-http.fixture.js';
import { taskAssigned, taskCommit, taskSubmitted } from './testing/stream-messages.js';

const actor: Actor = { kind: 'user', id: 'root', name: 'Root', role: 'admin' };
const context = { actor, correlationId: 'c1' };
const taskId = deterministicId('task', 'a');
const patience = { timeoutMs: 20_000 };
let nats: NatsServerFixture;
let clickhouse: ClickHouseHttp;
let service: RunningService;

const health = () => service.client.request(getHealth('telemetry'), {}, context);
const statuses = async () =>
  (await service.client.request(searchTasks, { visibleTo: null, now: Date.now() }, context)).tasks.map(
    (task) => task.status,
  );
const publish = async (version: number, ...events: Parameters<typeof taskCommit>[2][]) => {
  const commit = taskCommit(taskId, version, ...events);
  await publishJson(service.nc, subjects.task(taskId), commit, { msgId: commit.id });
};

beforeAll(async () => {
  nats = await startNatsServer();
  clickhouse = await ClickHouseHttp.create(await freePort());
  const environment = readEnvironment({ CLICKHOUSE_URL: clickhouse.url, CLICKHOUSE_DATABASE: 'tele' });
  service = await startTestService({
    name: 'telemetry',
    module: TelemetryModule.register(environment),
    natsUrl: nats.url,
  });
  for (const definition of [streams.tasks, streams.archive, streams.auth, streams.assign, streams.sched])
    await ensureStream(service.nc, definition);
});
afterAll(async () => {
  await service.stop();
  await nats.stop();
  await clickhouse.close();
});

it('starts without ClickHouse, says so, and refuses reads with an error that says to try later', async () => {
  await eventually(async () => {
    const report = await health();
    expect(report.status).toBe('degraded');
    expect(report.reasons.join()).toContain('clickhouse');
  }, patience);
  await expect(statuses()).rejects.toMatchObject({
    code: 'CLICKHOUSE.UNAVAILABLE',
    kind: 'unavailable',
    retryable: true,
  });
});

it('takes in what waited in the streams once the server is there', async () => {
  await publish(1, taskSubmitted());
  const chunk = {
    taskId,
    attempt: 1,
    workerId: 'w1',
    lines: [{ seq: 1, n: 1, stream: 'stdout', t: 1, text: "it's ☂" }],
    end: true,
  };
  await publishJson(service.nc, subjects.logs('w1', taskId), chunk);
  await clickhouse.start();
  await eventually(async () => expect(await statuses()).toEqual(['queued']), patience);
  await eventually(async () => {
    const page = await service.client.request(readLogs, { taskId, search: "IT'S" }, context);
    expect(page.lines.map(({ text }) => text)).toEqual(["it's ☂"]);
  }, patience);
  await eventually(async () => expect((await health()).status).toBe('healthy'), patience);
});

it('an outage in the middle loses nothing and ends by itself', async () => {
  await clickhouse.stop();
  await publish(2, taskAssigned('w1'));
  await eventually(async () => expect((await health()).status).toBe('degraded'), patience);
  await clickhouse.start();
  await eventually(async () => expect(await statuses()).toEqual(['assigned']), patience);
  await eventually(async () => expect((await health()).status).toBe('healthy'), patience);
});

it('a server that comes back empty is filled again from the streams', async () => {
  await clickhouse.wipe('tele');
  await eventually(async () => expect(await statuses()).toEqual(['assigned']), patience);
});
