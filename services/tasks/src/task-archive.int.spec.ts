import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { decodeSegment } from '@gantry/contracts/tasks/archive-segment';
import {
  cancelTask,
  countTasks,
  deleteTask,
  getTask,
  getTaskHistory,
  retryTask,
  type TimelineEntry,
} from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import { manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { startTestService } from '@gantry/testing/service-fixture';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TASK_SNAPSHOT_VERSION } from './application/task-snapshot.js';
import { ada, as, bob, root, TasksSystem } from './tasks-system.fixture.js';
import { TasksModule } from './tasks.module.js';

const archive = {
  keepMs: 300,
  removeAfterMs: 400,
  frontPatienceMs: 200,
  busyPauseMs: 10,
  idlePauseMs: 50,
};
const module = TasksModule.with({ archive });

let system: TasksSystem;
let replica: RunningService | undefined;
beforeEach(async () => {
  system = await TasksSystem.start(module);
});
afterEach(async () => {
  await replica?.stop();
  replica = undefined;
  await system?.stop();
});

const startReplica = async (): Promise<RunningService> => {
  replica = await startTestService({ name: 'tasks', module, natsUrl: system.nats.url });
  return replica;
};
const historyOf = async (taskId: string, client = system.client): Promise<TimelineEntry[]> =>
  (await client.request(getTaskHistory, { taskId, visibleTo: null }, as(root))).entries;
const storedSubjects = async (stream = streams.tasks.name): Promise<Record<string, number>> =>
  (await (await manager(system.service.nc)).streams.info(stream, { subjects_filter: '>' })).state.subjects ?? {};
/** The newest message stays in the stream: another task's submission makes room for the others to leave. */
const gone = async (...tasks: readonly TaskView[]): Promise<void> => {
  await system.submit({ name: 'newest' });
  await eventually(async () => {
    const present = await storedSubjects();
    for (const { id } of tasks) expect(present).not.toHaveProperty([subjects.task(id)]);
  });
};

describe('a task that ended long ago', () => {
  it('leaves TASKS, and answers as before', async () => {
    const running = await system.running();
    const task = await system.finished();
    const history = await historyOf(task.id);
    await gone(task);
    expect(await system.get(task.id)).toEqual(task);
    expect(await historyOf(task.id)).toEqual(history);
    const { status, version } = await system.get(running.id);
    expect(status).toBe('running');
    expect(await storedSubjects()).toHaveProperty([subjects.task(running.id)], version);
    await system.restartService();
    expect(await system.get(task.id)).toEqual(task);
    expect(await historyOf(task.id)).toEqual(history);
    await system.exit(running.id);
    const ended = await system.until(running.id, 'succeeded');
    await gone(ended);
    expect(await system.get(running.id)).toEqual(ended);
  });

  it('is shown to those who may see it only', async () => {
    const task = await system.finished();
    await gone(task);
    await system.restartService();
    const seen = await system.client.request(getTask, { taskId: task.id, visibleTo: ada.id }, as(ada));
    expect(seen.task).toEqual(task);
    const notFound = { code: 'TASK.NOT_FOUND' };
    const asBob = { taskId: task.id, visibleTo: bob.id };
    await expect(system.client.request(getTask, asBob, as(bob))).rejects.toMatchObject(notFound);
    await expect(system.client.request(getTaskHistory, asBob, as(bob))).rejects.toMatchObject(notFound);
    await expect(system.client.request(retryTask, asBob, as(bob))).rejects.toMatchObject(notFound);
    await expect(system.client.request(deleteTask, asBob, as(bob))).rejects.toMatchObject(notFound);
  });

  it('is what its idempotency key gives, in every replica and after a restart', async () => {
    const { task: submitted } = await system.submit({}, { idempotencyKey: 'once' });
    await system.client.request(cancelTask, { taskId: submitted.id, visibleTo: null }, as(root));
    await gone(submitted);
    const { client } = await startReplica();
    for (const restart of [false, true]) {
      if (restart) await system.restartService();
      for (const asked of [system.client, client]) {
        const again = await system.submit({}, { idempotencyKey: 'once', client: asked });
        expect(again).toMatchObject({ duplicate: true, task: { id: submitted.id, status: 'cancelled' } });
        await expect(
          system.submit({ name: 'different' }, { idempotencyKey: 'once', client: asked }),
        ).rejects.toMatchObject({ code: 'TASK.IDEMPOTENCY_CONFLICT' });
      }
    }
    expect(await storedSubjects()).not.toHaveProperty([subjects.task(submitted.id)]);
  });

  it('has nothing to cancel, can be repeated, and can be deleted', async () => {
    const task = await system.finished();
    await gone(task);
    const request = { taskId: task.id, visibleTo: null };
    await expect(system.client.request(cancelTask, request, as(root))).rejects.toMatchObject({
      code: 'TASK.ALREADY_FINISHED',
    });
    const repeated = await system.client.request(retryTask, request, as(root));
    expect(repeated).toMatchObject({ retryOf: task.id, spec: task.spec, status: 'queued' });
    await system.client.request(deleteTask, request, as(root));
    await expect(system.get(task.id)).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
    await gone(task);
    await system.restartService();
    await expect(system.get(task.id)).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
    await expect(system.client.request(deleteTask, request, as(root))).rejects.toMatchObject({
      code: 'TASK.NOT_FOUND',
    });
  });

  it('is deleted by a replica that knew it before it left', async () => {
    const task = await system.finished();
    const { client } = await startReplica();
    expect((await client.request(getTask, { taskId: task.id, visibleTo: null }, as(root))).task).toEqual(task);
    await gone(task);
    await client.request(deleteTask, { taskId: task.id, visibleTo: null }, as(root));
    await eventually(() => expect(system.get(task.id)).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' }));
  });

  it('does not wait in the eyes of a replica whose snapshot is older than its end', async () => {
    const snapshots = { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 };
    const saving = TasksModule.with({ archive, snapshots });
    const start = (): Promise<RunningService> =>
      startTestService({ name: 'tasks', module: saving, natsUrl: system.nats.url });
    const other = await start();
    const { task } = await system.submit({});
    await eventually(async () =>
      expect(await new KvSnapshotStore(system.service.nc, 'tasks').positions('board', TASK_SNAPSHOT_VERSION)).toEqual({
        TASKS: expect.objectContaining({ sequence: 1 }),
      }),
    );
    await other.stop();
    await system.client.request(cancelTask, { taskId: task.id, visibleTo: null }, as(root));
    await gone(task);
    await system.service.stop();
    system.service = await start();
    const { byStatus } = await system.client.request(countTasks, { visibleTo: null }, as(root));
    expect(byStatus).toMatchObject({ queued: 1, cancelled: 0 });
    expect(await system.get(task.id)).toMatchObject({ status: 'cancelled' });
  });

  it('takes a late report into its history', async () => {
    const task = await system.running();
    await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    const queued = await system.until(task.id, 'queued');
    await system.client.request(cancelTask, { taskId: queued.id, visibleTo: null }, as(root));
    const cancelled = await system.until(task.id, 'cancelled');
    const before = await historyOf(task.id);
    await gone(cancelled);
    await system.exit(task.id);
    const types = (entries: readonly TimelineEntry[]) => entries.map(({ type }) => type);
    const expected = [...types(before), 'StaleReportIgnored'];
    await eventually(async () => expect(types(await historyOf(task.id))).toEqual(expected));
    await gone(cancelled);
    const entries = await historyOf(task.id);
    expect(types(entries)).toEqual(expected);
    const versions = [...new Set(entries.map(({ version }) => version))];
    expect(versions).toEqual([...versions.keys()].map((index) => index + 1));
  });
});

describe('archiving that is cut off', () => {
  /** Not by the number of messages: brokers of before 2.10 count wrongly after they were killed. */
  const tasksLeft = async (): Promise<number> => Object.keys(await storedSubjects()).length;
  /** A question that was on its way to the broker when it died is given up after five seconds. */
  const patient = { timeoutMs: 30_000 };
  const archivedSequences = async (): Promise<number[]> => {
    const jsm = await manager(system.service.nc);
    const { state } = await jsm.streams.info(streams.archive.name);
    const sequences: number[] = [];
    for (let seq = 1; seq <= state.last_seq; seq += 1) {
      const tasks = await decodeSegment((await jsm.streams.getMessage(streams.archive.name, { seq }))!.data);
      sequences.push(...tasks.flatMap(({ commits }) => commits.map(({ sequence }) => sequence)));
    }
    return sequences;
  };
  /** `count` tasks that ended, behind one that still waits and keeps the front of the stream. */
  const endedTasks = async (count: number): Promise<Map<string, TimelineEntry[]>> => {
    await system.submit({ name: 'oldest' });
    const histories = new Map<string, TimelineEntry[]>();
    for (let index = 0; index < count; index += 1) {
      const { task } = await system.submit({}, { idempotencyKey: `key ${index}` });
      await system.client.request(cancelTask, { taskId: task.id, visibleTo: null }, as(root));
      histories.set(task.id, await historyOf(task.id));
    }
    await system.submit({ name: 'newest' });
    return histories;
  };

  it.each(['broker killed', 'service stopped'] as const)(
    'in the middle goes on without a loss: %s again and again',
    async (kind) => {
      const histories = await endedTasks(150);
      for (let round = 0; round < 4; round += 1) {
        const before = await tasksLeft();
        // Something was removed since the last time, or everything is.
        await eventually(async () => {
          const left = await tasksLeft();
          expect(left < before || left === 2).toBe(true);
        }, patient);
        if (kind === 'broker killed') await system.nats.restart('SIGKILL');
        else await system.restartService();
        const key = `key ${round * 40}`;
        const again = await eventually(() => system.submit({}, { idempotencyKey: key }), patient);
        expect(again.duplicate).toBe(true);
      }
      await eventually(async () => expect(await tasksLeft()).toBe(2), patient);
      for (const [taskId, history] of histories) expect(await historyOf(taskId)).toEqual(history);
      const sequences = await archivedSequences();
      expect(sequences).toHaveLength(3 * histories.size);
      expect(new Set(sequences).size).toBe(sequences.length);
    },
    90_000,
  );
});
