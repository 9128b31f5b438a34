import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import type { Actor } from '@gantry/contracts/messaging/actor';
import type { Commit } from '@gantry/contracts/messaging/commit';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import {
  ARCHIVED_TASKS_HEADER,
  type ArchivedTask,
  archivedTasksHeader,
  encodeSegment,
} from '@gantry/contracts/tasks/archive-segment';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { getArchivedTask, searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import { connectNats } from '@gantry/jetstream/connect';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { removeFolder, temporaryFolder } from '@gantry/testing/temporary-folder';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { readEnvironment } from './environment.js';
import { TelemetryModule } from './telemetry.module.js';
import {
  START,
  taskAssigned,
  taskCommit,
  taskStarted,
  taskSubmitted,
  taskSucceeded,
} from './testing/stream-messages.js';

const data = temporaryFolder('gantry-telemetry-archive');
const environment = readEnvironment({ GANTRY_DATA: data });
const as = (actor: Actor): RequestContext => ({ actor, correlationId: 'c1' });
const admin = as({ kind: 'user', id: 'root', name: 'Root', role: 'admin' });

let nats: NatsServerFixture;
let nc: NatsConnection;
let service: RunningService | undefined;

const start = async () => {
  const module = TelemetryModule.register(environment);
  service = await startTestService({ name: 'telemetry', module, natsUrl: nats.url });
};
const stop = async () => {
  await service?.stop();
  service = undefined;
};

beforeAll(async () => {
  nats = await startNatsServer();
  nc = await connectNats({ url: nats.url, name: 'test' });
  for (const stream of [streams.tasks, streams.archive]) await ensureStream(nc, stream);
});
afterAll(async () => {
  await stop();
  await nc.close();
  await nats.stop();
  removeFolder(data);
});

const lifeOf = (name: string): Commit<TaskEvent>[] => {
  const taskId = deterministicId('task', name);
  const events = [taskSubmitted({ name }), taskAssigned(), taskStarted(START + 5), taskSucceeded(START + 9)];
  return events.map((event, index) => taskCommit(taskId, index + 1, event));
};
/** Stored in TASKS; answers it as a segment holds it. */
const stored = async (commits: readonly Commit<TaskEvent>[]): Promise<ArchivedTask> => {
  const taskId = commits[0]!.aggregateId;
  const archived: ArchivedTask['commits'][number][] = [];
  for (const commit of commits) {
    const { sequence } = await publishJson(nc, subjects.task(taskId), commit, { msgId: commit.id });
    archived.push({ sequence, bytes: Buffer.from(JSON.stringify(commit)) });
  }
  return { taskId, commits: archived };
};
const archive = async (...tasks: readonly ArchivedTask[]): Promise<void> => {
  const sent = headers();
  sent.set(ARCHIVED_TASKS_HEADER, archivedTasksHeader(tasks));
  await publishBytes(nc, subjects.archivedTasks, await encodeSegment(tasks), { headers: sent });
};
const remove = async (...tasks: readonly ArchivedTask[]): Promise<void> => {
  const jsm = await manager(nc);
  for (const { commits } of tasks)
    for (const { sequence } of commits) await jsm.streams.deleteMessage(streams.tasks.name, sequence);
};
const viewOf = (taskId: string) => service!.client.request(getArchivedTask, { taskId, visibleTo: null }, admin);
const found = async (): Promise<string[]> => {
  const { tasks } = await service!.client.request(
    searchTasks,
    { visibleTo: null, filter: {}, now: START + 1_000 },
    admin,
  );
  return tasks.map(({ spec }) => spec.name).sort();
};
const allTaken = async (stream: string): Promise<void> => {
  const info = await (await manager(nc)).consumers.info(stream, `telemetry-${stream.toLowerCase()}`);
  expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
};
const rowsOf = async (sql: string) => {
  const clickhouse = connectClickHouse({ path: environment.clickHousePath });
  await clickhouse.ensureDatabase();
  const rows = await clickhouse.queryTuples(sql, {}, z.array(z.unknown()));
  await clickhouse.close();
  return rows;
};

it('stores nothing twice that came from TASKS before, and takes from ARCHIVE what did not', async () => {
  await start();
  const seen = await stored(lifeOf('seen'));
  await eventually(async () => expect((await viewOf(seen.taskId)).entries).toHaveLength(4));
  await eventually(() => allTaken(streams.tasks.name));
  await archive(seen);
  await eventually(() => allTaken(streams.archive.name));
  await remove(seen);
  await stop();
  // Not even a second row that would only be merged later.
  expect(await rowsOf(`SELECT count() FROM commits WHERE aggregate_id = '${seen.taskId}'`)).toEqual([[4]]);

  const unseen = await stored(lifeOf('unseen'));
  await archive(unseen);
  await remove(unseen);
  await start();
  await eventually(async () => expect(await found()).toEqual(['seen', 'unseen']));
  const { task, entries } = await viewOf(unseen.taskId);
  expect(task).toMatchObject({ status: 'succeeded', version: 4 });
  expect(entries.map(({ streamSequence }) => streamSequence)).toEqual(unseen.commits.map(({ sequence }) => sequence));
});

it('an emptied ClickHouse is filled from ARCHIVE and TASKS, once each, with what came after the archiving', async () => {
  const waiting = await stored(lifeOf('waiting').slice(0, 1));
  const both = await stored(lifeOf('in both'));
  await archive(both);
  const deleted = await stored(lifeOf('deleted'));
  await archive(deleted);
  await remove(deleted);
  await eventually(async () => expect(await found()).toEqual(['deleted', 'in both', 'seen', 'unseen', 'waiting']));
  const event: TaskEvent = { type: 'TaskDeleted', data: { deletedBy: 'Ada', at: START + 20 } };
  await stored([taskCommit(deleted.taskId, 5, event)]);
  const expected = ['in both', 'seen', 'unseen', 'waiting'];
  await eventually(async () => expect(await found()).toEqual(expected));
  const before = await viewOf(both.taskId);
  await eventually(() => allTaken(streams.tasks.name));
  await stop();
  removeFolder(data);
  await start();
  await eventually(async () => expect(await found()).toEqual(expected), { timeoutMs: 30_000 });
  expect(await viewOf(both.taskId)).toEqual(before);
  expect((await viewOf(waiting.taskId)).task.status).toBe('queued');
  await stop();
  const counted = await rowsOf('SELECT count(), uniqExact(aggregate_id, version) FROM commits FINAL');
  expect(counted).toEqual([[18, 18]]);
});
