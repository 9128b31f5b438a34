import { randomUUID } from 'node:crypto';
import {
  type DeadLetter,
  discardDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import { getHealth, type RequestContext } from '@gantry/contracts/messaging/request';
import { subjects } from '@gantry/contracts/messaging/streams';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { RequestClient } from '@gantry/jetstream/request-client';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SchedulingLoop } from './application/scheduling-loop.js';
import { BOARD_SNAPSHOT_VERSION } from './domain/cluster/board-snapshot.js';
import { Cluster } from './domain/cluster/cluster.js';
import { TestPlatform } from './testing/platform.fixture.js';
import { workerSpec } from './testing/samples.js';

/** One message that this version cannot read, in TASKS or in ASSIGN, between good ones. */
const admin: RequestContext = { actor: { kind: 'user', id: 'r', name: 'Root', role: 'admin' }, correlationId: 'test' };
const user: RequestContext = { actor: { kind: 'user', id: 'u', name: 'User', role: 'user' }, correlationId: 'test' };
const one = { cpu: 1, memoryMb: 8, storageMb: 0, gpu: { count: 0 } };
const never = { ...one, cpu: 100_000 };
const worker = { spec: workerSpec({ capacity: { cpu: 1_000, memoryMb: 8_192, storageMb: 100_000 } }) };
const snapshots = { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 };

let platform: TestPlatform;
let client: RequestClient;

beforeEach(async () => {
  platform = await TestPlatform.start();
  client = new RequestClient(platform.nc);
});
afterEach(() => platform.stop());

const boot = (): Promise<RunningService> => platform.boot({ snapshots });
const commit = (stream: string, aggregateId: string, version: number, type: string, data: unknown) => ({
  ...{ id: randomUUID(), stream, aggregateId, version, schemaVersion: 1, occurredAt: Date.now() },
  ...{ actor: { kind: 'service', id: 'test' }, correlationId: 'test', causationId: 'test' },
  events: [{ type, data }],
});
const cancelled = (taskId: string, version: number) =>
  publishJson(
    platform.nc,
    subjects.task(taskId),
    commit('TASKS', taskId, version, 'TaskCancelled', { attempt: 0, finishedAt: Date.now() }),
  );
const open = async (): Promise<DeadLetter[]> =>
  (await client.request(listDeadLetters, { consumer: 'scheduler-board', limit: 100 }, admin)).deadLetters;
const letter = (): Promise<DeadLetter> =>
  eventually(async () => {
    const [found, ...others] = await open();
    expect(others).toEqual([]);
    if (found === undefined) throw new Error('no letter');
    return found;
  });
const discard = ({ id }: DeadLetter, by = admin) => client.request(discardDeadLetter, { id }, by);
const replay = ({ id, stream }: DeadLetter, by = admin) =>
  client.request(replayDeadLetter(stream, 'scheduler-board'), { id }, by);
const health = () => client.request(getHealth('scheduler'), {}, admin);
const placed = async (): Promise<void> => {
  const taskId = await platform.submit({ resources: one });
  await platform.until(() => platform.assignmentsOf(taskId).length > 0, 'a task is placed');
  await platform.record(platform.assignmentsOf(taskId)[0]!);
};
/** Sequence that the next append on the worker's subject will expect. */
function headOf(service: RunningService, workerId: string): number | undefined {
  const [end = ''] = [...service.app.get(SchedulingLoop).snapshot()].at(-1)!.texts;
  const { heads } = JSON.parse(end) as { heads: { workerId: string; sequence: number }[] };
  return heads.find((head) => head.workerId === workerId)?.sequence;
}
const boardOf = (service: RunningService) => service.app.get(Cluster).board;

describe.each([
  [
    'is not JSON',
    (subject: string, _stream: string, _id: string) => publishBytes(platform.nc, subject, Buffer.from([1])),
  ],
  [
    'does not fit the fold',
    (subject: string, stream: string, id: string) =>
      publishJson(platform.nc, subject, commit(stream, id, 2, 'TaskAssigned', null)),
  ],
])('a message that %s', (_what, poison) => {
  it('of TASKS: other tasks are placed, a restart changes nothing, a discard lets leader and standby go on', async () => {
    const leader = await boot();
    await platform.beat('w1', worker);
    const sick = await platform.submit({ resources: never });
    const { sequence } = await poison(subjects.task(sick), 'TASKS', sick);
    await cancelled(sick, 3);
    await placed();
    const found = await letter();
    expect(found).toMatchObject({ stream: 'TASKS', subject: subjects.task(sick), sequence, state: 'open' });
    expect(await health()).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringContaining(`dead letter ${found.id}`)],
    });
    expect(boardOf(leader).get(sick)).toBeDefined();

    const store = new KvSnapshotStore(platform.nc, 'scheduler');
    await eventually(async () => {
      const position = (await store.positions('board', BOARD_SNAPSHOT_VERSION))?.TASKS;
      expect(position?.sequence).toBeGreaterThan(sequence + 1);
      expect(position?.held).toEqual([{ subject: subjects.task(sick), sequence }]);
    });
    await leader.stop();
    const fromSnapshot = await boot();
    expect(boardOf(fromSnapshot).get(sick)).toBeDefined();
    await fromSnapshot.stop();
    await store.forget('board');
    const [second, standby] = [await boot(), await boot()];
    expect(boardOf(second).get(sick)).toBeDefined();
    expect(await letter()).toEqual(found);
    await placed();

    for (const decide of [discard, replay])
      await expect(decide(found, user)).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
    await expect(replay(found)).rejects.toMatchObject({ code: 'DEAD_LETTER.FAILED_AGAIN' });
    await discard(found);
    for (const service of [second, standby]) await eventually(() => expect(boardOf(service).get(sick)).toBeUndefined());
    await eventually(async () => expect((await health()).status).toBe('healthy'));
    expect(boardOf(await boot()).get(sick)).toBeUndefined();
  });

  it('of ASSIGN: its worker gets tasks on, also from a new leader, and only what it said is missing', async () => {
    const leader = await boot();
    await platform.beat('w1', worker);
    await placed();
    const { sequence } = await poison(subjects.assign('w1'), 'ASSIGN', 'w1');
    for (let n = 0; n < 5; n += 1) await placed();
    const found = await letter();
    expect(found).toMatchObject({ stream: 'ASSIGN', subject: 'assign.w1', sequence, state: 'open' });
    expect((await health()).status).toBe('degraded');

    const standby = await boot();
    // The standby sees what comes behind it, also what TASKS does not tell yet.
    const unrecorded = await platform.submit({ resources: one });
    await eventually(() => expect(boardOf(standby).get(unrecorded)?.assignment?.workerId).toBe('w1'));
    await publishBytes(platform.nc, subjects.assign('w2'), Buffer.from([1]));
    await eventually(() => expect(headOf(standby, 'w2')).toBeGreaterThan(sequence));
    const other = await eventually(async () => {
      const one = (await open()).find(({ subject }) => subject === subjects.assign('w2'));
      if (one === undefined) throw new Error('no letter');
      return one;
    });
    await discard(other);
    await leader.stop();
    await platform.beat('w1', worker);
    await placed();
    // Without a snapshot the new leader meets it again, and has to fence a subject whose history holds it.
    await standby.stop();
    await new KvSnapshotStore(platform.nc, 'scheduler').forget('board');
    const third = await boot();
    await eventually(() => expect(third.app.get(SchedulingLoop).isLeading).toBe(true));
    await platform.beat('w1', worker);
    await placed();
    expect(await letter()).toEqual(found);
    await expect(replay(found)).rejects.toMatchObject({ code: 'DEAD_LETTER.FAILED_AGAIN' });
    await discard(found);
    await eventually(async () => expect((await health()).status).toBe('healthy'));
    await placed();
    expect(platform.assigned).toHaveLength(10);
  });
});

it('a lost race on a subject that holds an unreadable message does not stop its worker', async () => {
  await boot();
  await platform.beat('w1', worker);
  await placed();
  // Stored in the moment in which the leader appends: it has to read the subject again.
  for (let n = 0; n < 10; n += 1) {
    const submitting = platform.submit({ resources: one });
    await publishBytes(platform.nc, subjects.assign('w1'), Buffer.from('?'));
    const taskId = await submitting;
    await platform.until(() => platform.assignmentsOf(taskId).length > 0, `task ${n} is placed`);
  }
  expect(new Set(platform.assigned.map(({ taskId }) => taskId)).size).toBe(11);
});
