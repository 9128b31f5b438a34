import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Actor } from '@gantry/contracts/messaging/actor';
import { getHealth } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { readLogs, searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readEnvironment } from './environment.js';
import { TelemetryModule } from './telemetry.module.js';
import { taskCommit, taskSubmitted } from './testing/stream-messages.js';

const actor: Actor = { kind: 'user', id: 'root', name: 'Root', role: 'admin' };
const context = { actor, correlationId: 'c1' };
const patience = { timeoutMs: 45_000 };
const idOf = (index: number) => deterministicId('task', String(index));
/** Text that does not shrink when it is compressed. */
const noise = () => randomBytes(15_000).toString('base64');
let disk: string;
let nats: NatsServerFixture;
let service: RunningService;

const health = () => service.client.request(getHealth('telemetry'), {}, context);

async function publishTask(index: number, texts: readonly string[]): Promise<void> {
  const taskId = idOf(index);
  const commit = taskCommit(taskId, 1, taskSubmitted({ name: `task ${index}` }));
  await publishJson(service.nc, subjects.task(taskId), commit, { msgId: commit.id });
  for (const [at, text] of texts.entries()) {
    const lines = [{ seq: at + 1, n: at + 1, stream: 'stdout', t: 1, text }];
    const chunk = { taskId, attempt: 1, workerId: 'w1', lines, end: at === texts.length - 1 };
    await publishJson(service.nc, subjects.logs('w1', taskId), chunk);
  }
}

const namesStored = async () =>
  (await service.client.request(searchTasks, { visibleTo: null, now: Date.now() }, context)).tasks
    .map(({ spec }) => spec.name)
    .sort();
const linesOf = async (index: number) =>
  (await service.client.request(readLogs, { taskId: idOf(index) }, context)).lines.map(({ text }) => text);

beforeAll(async () => {
  disk = temporaryFolder('gantry-full-disk');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
  nats = await startNatsServer();
  const environment = readEnvironment({ GANTRY_DATA: disk });
  service = await startTestService({
    name: 'telemetry',
    module: TelemetryModule.register(environment),
    natsUrl: nats.url,
  });
  for (const definition of [streams.tasks, streams.archive, streams.auth, streams.assign, streams.sched])
    await ensureStream(service.nc, definition);
  await eventually(async () => expect((await health()).status).toBe('healthy'), patience);
});
afterAll(async () => {
  await service?.stop();
  await nats?.stop();
  execFileSync('umount', ['-l', disk]);
});

it(
  'a full disk under ClickHouse is reported, loses nothing, and ends when there is room again',
  { timeout: 120_000 },
  async () => {
    const before = [noise()];
    await publishTask(0, before);
    await eventually(async () => expect(await linesOf(0)).toEqual(before), patience);

    const ballast = join(disk, 'ballast');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 64 * 1024));
    const whileFull = Array.from({ length: 40 }, noise);
    await publishTask(1, whileFull);
    await eventually(async () => {
      const report = await health();
      expect(report.status).toBe('degraded');
      expect(report.reasons.join()).toContain('The disk of ClickHouse is full.');
    }, patience);
    // What is there can still be read.
    expect(await linesOf(0)).toEqual(before);
    await publishTask(2, ['later']);

    rmSync(ballast);
    await eventually(async () => expect(await namesStored()).toEqual(['task 0', 'task 1', 'task 2']), patience);
    await eventually(async () => expect(await linesOf(1)).toEqual(whileFull), patience);
    await eventually(async () => expect(await linesOf(2)).toEqual(['later']), patience);
    await eventually(async () => expect((await health()).status).toBe('healthy'), patience);
    const { state } = await (await manager(service.nc)).streams.info(streams.dlq.name);
    expect(state.messages).toBe(0);
  },
);
