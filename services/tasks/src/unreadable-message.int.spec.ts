import { randomUUID } from 'node:crypto';
import {
  type DeadLetter,
  discardDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import { getHealth } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { cancelTask, getTask, listRecentTasks } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { startTestService } from '@gantry/testing/service-fixture';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TASK_SNAPSHOT_VERSION } from './application/task-snapshot.js';
import { TaskBoard } from './projections/task-board/task-board.projection.js';
import { ada, as, root, TasksSystem } from './tasks-system.fixture.js';
import { TasksModule } from './tasks.module.js';

/** One message in TASKS that this version cannot read, between good ones. */
const module = TasksModule.with({ snapshots: { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 } });
let system: TasksSystem;
let second: RunningService | undefined;

beforeEach(async () => {
  system = await TasksSystem.start(module);
});
afterEach(async () => {
  await second?.stop();
  second = undefined;
  await system.stop();
});

const startSecond = async (): Promise<RunningService> =>
  (second = await startTestService({ name: 'tasks', module, natsUrl: system.nats.url }));
const commit = (taskId: string, version: number, type: string, data: unknown) => ({
  ...{ id: randomUUID(), stream: 'TASKS', aggregateId: taskId, version, schemaVersion: 1, occurredAt: Date.now() },
  ...{ actor: { kind: 'service', id: 'tasks' }, correlationId: 'test', causationId: 'test' },
  events: [{ type, data }],
});
/** As a newer version would have written it. */
const strange = ({ id }: TaskView, version = 2) => commit(id, version, 'TaskSucceeded', null);
const progress = ({ id }: TaskView, version: number) =>
  commit(id, version, 'TaskProgressed', { message: `step ${version}`, at: Date.now() });
const put = (task: TaskView, value: unknown) => publishJson(system.service.nc, subjects.task(task.id), value);
const open = async (): Promise<DeadLetter[]> =>
  (await system.client.request(listDeadLetters, { consumer: 'tasks-board', limit: 100 }, as(root))).deadLetters;
const letter = (not?: DeadLetter): Promise<DeadLetter> =>
  eventually(async () => {
    const [found, ...others] = await open();
    expect(others).toEqual([]);
    if (found === undefined || found.id === not?.id) throw new Error('no letter');
    return found;
  });
const discard = ({ id }: DeadLetter) => system.client.request(discardDeadLetter, { id }, as(root));
const replay = ({ id }: DeadLetter, by = root) =>
  system.client.request(replayDeadLetter('TASKS', 'tasks-board'), { id }, as(by));
const health = (service = system.service) => service.client.request(getHealth('tasks'), {}, as(root));
const messageOf = async (task: TaskView, service = system.service): Promise<string | null> =>
  (await service.client.request(getTask, { taskId: task.id, visibleTo: null }, as(root))).task.message;

describe.each([
  ['is not JSON', (task: TaskView) => publishBytes(system.service.nc, subjects.task(task.id), Buffer.from('\u0001'))],
  ['does not fit the fold', (task: TaskView) => put(task, strange(task))],
])('a message that %s', (what, poison) => {
  // Not a commit, it counts as none.
  const next = what === 'is not JSON' ? 2 : 3;

  it('holds up its own task alone, and is a dead letter once, with and without a snapshot', async () => {
    const { task: sick } = await system.submit({ name: 'sick' });
    const { sequence } = await poison(sick);
    await put(sick, progress(sick, next));
    const other = await system.finished();
    expect((await system.get(other.id)).status).toBe('succeeded');
    const found = await letter();
    expect(found).toMatchObject({ stream: 'TASKS', subject: subjects.task(sick.id), sequence, state: 'open' });
    expect(found.reason).not.toBe('');
    expect(await health()).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringContaining(`dead letter ${found.id}`)],
    });
    expect((await system.get(sick.id)).message).toBeNull();

    // The board goes on to be saved, and tells what it does not cover.
    const store = new KvSnapshotStore(system.service.nc, 'tasks');
    const position = await eventually(async () => {
      const at = (await store.positions('board', TASK_SNAPSHOT_VERSION))?.TASKS;
      expect(at?.sequence).toBeGreaterThan(sequence + 1);
      return at;
    });
    expect(position?.held).toEqual([{ subject: subjects.task(sick.id), sequence }]);
    const before = await listed();
    await system.restartService(async (nc) => new KvSnapshotStore(nc, 'tasks').forget('board'));
    expect(await listed()).toEqual(before);
    const saved = new KvSnapshotStore(system.service.nc, 'tasks');
    await system.submit({ name: 'makes it worth saving' });
    await eventually(async () =>
      expect((await saved.positions('board', TASK_SNAPSHOT_VERSION))?.TASKS?.held).toEqual(position?.held),
    );
    await system.restartService();
    expect((await listed()).slice(0, 2)).toEqual(before);
    expect(await letter()).toEqual(found);
    expect((await health()).status).toBe('degraded');
    await discard(found);
    await eventually(async () => expect(await messageOf(sick)).toBe(`step ${next}`));
  });

  it('makes commands on its task fail with what to do, and no others', async () => {
    const { task: sick } = await system.submit({ name: 'sick' });
    const { task: well } = await system.submit({ name: 'well' });
    await poison(sick);
    await letter();
    const cancel = (task: TaskView) =>
      system.client.request(cancelTask, { taskId: task.id, visibleTo: ada.id }, as(ada));
    await expect(cancel(sick)).rejects.toMatchObject({
      code: 'STORE.UNREADABLE_HISTORY',
      kind: 'conflict',
      message:
        'The history of this task holds a message that cannot be read; an admin finds it among the dead letters.',
    });
    expect((await cancel(well)).status).toBe('cancelled');

    // What agents and scheduler say about it goes the way of everything that cannot be handled; the next is handled at once.
    await system.assign(sick);
    await system.report(sick.id, { type: 'accepted' });
    await system.finished();
    const { deadLetters } = await eventually(async () => {
      const page = await system.client.request(listDeadLetters, { limit: 100 }, as(root));
      expect(page.deadLetters).toHaveLength(3);
      return page;
    });
    expect(new Set(deadLetters.map(({ consumer }) => consumer))).toEqual(
      new Set(['tasks-board', 'tasks-assign', 'tasks-reports']),
    );

    await discard(await letter());
    await eventually(() => cancel(sick));
    // As a scheduler does that has taken the assignment back, which nobody could record.
    await system.scheduler.withdraw(sick.id);
    await system.until(sick.id, 'cancelled');
    await startSecond();
    expect((await system.get(sick.id)).status).toBe('cancelled');
  });

  it('discarded by an admin it is skipped in all replicas and at every start, and what waited is applied', async () => {
    await startSecond();
    const { task: sick } = await system.submit({ name: 'sick' });
    await poison(sick);
    await put(sick, progress(sick, next));
    const found = await letter();
    await expect(replay(found, ada)).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
    await expect(system.client.request(discardDeadLetter, { id: found.id }, as(ada))).rejects.toMatchObject({
      code: 'AUTH.ADMIN_ONLY',
    });
    await expect(replay(found)).rejects.toMatchObject({ code: 'DEAD_LETTER.FAILED_AGAIN' });
    expect(await open()).toEqual([found]);

    await discard(found);
    await put(sick, progress(sick, next + 1));
    const boards = [system.service, second!].map((service) => service.app.get(TaskBoard));
    for (const board of boards) await eventually(() => expect(board.get(sick.id)?.message).toBe(`step ${next + 1}`));
    await eventually(async () => expect((await health()).status).toBe('healthy'));
    await second!.stop();
    second = undefined;
    await system.restartService();
    expect(await messageOf(sick)).toBe(`step ${next + 1}`);
    await system.restartService(async (nc) => new KvSnapshotStore(nc, 'tasks').forget('board'));
    expect(await messageOf(sick)).toBe(`step ${next + 1}`);
    expect(await open()).toEqual([]);
  });
});

it('an unreadable segment of the archive is a dead letter, and the next ones are indexed', async () => {
  const id = deterministicId('archive');
  await publishBytes(system.service.nc, subjects.archivedTasks, Buffer.from(id));
  const [found] = await eventually(async () => {
    const page = await system.client.request(listDeadLetters, { consumer: 'tasks-archive' }, as(root));
    expect(page.deadLetters).toHaveLength(1);
    return page.deadLetters;
  });
  expect(found).toMatchObject({ stream: streams.archive.name, code: 'ARCHIVE.UNNAMED_TASKS', sequence: 1 });
  expect((await health()).status).toBe('degraded');
  await system.finished();
  await discard(found!);
  await eventually(async () => expect((await health()).status).toBe('healthy'));
});

async function listed(): Promise<TaskView[]> {
  const input = {
    visibleTo: null,
    filter: {},
    sort: 'created',
    descending: false,
    limit: 100,
    now: Date.now(),
  } as const;
  return (await system.client.request(listRecentTasks, input, as(root))).tasks;
}
