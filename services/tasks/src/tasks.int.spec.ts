import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { InputOf, RequestContract } from '@gantry/contracts/messaging/request';
import {
  cancelTask,
  countTasks,
  deleteTask,
  getArtifact,
  getTask,
  getTaskHistory,
  listRecentTasks,
  readArtifact,
  retryTask,
  submitTask,
} from '@gantry/contracts/tasks/task-requests';
import { publishJson } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, bob, root, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

const types = async (taskId: string): Promise<string[]> => {
  const { entries } = await system.client.request(getTaskHistory, { taskId, visibleTo: null }, as(root));
  return entries.map((entry) => entry.type);
};

describe('a task’s life', () => {
  it('from submission to success, with its whole history', async () => {
    const { task, queuePosition, duplicate } = await system.submit({ queue: 'life' });
    expect({ status: task.status, owner: task.ownerName, version: task.version, queuePosition, duplicate }).toEqual({
      status: 'queued',
      owner: 'Ada',
      version: 1,
      queuePosition: 1,
      duplicate: false,
    });
    await system.assign(task);
    await system.report(task.id, { type: 'accepted' });
    await system.report(task.id, { type: 'pulling', percent: 40 });
    await system.report(task.id, { type: 'started', startedAt: Date.now(), containerId: 'c1' });
    await system.report(task.id, { type: 'progress', percent: 50, message: 'half' });
    await eventually(async () =>
      expect(await system.get(task.id)).toMatchObject({ status: 'running', progressPercent: 50, message: 'half' }),
    );
    await system.exit(task.id);
    const done = await system.until(task.id, 'succeeded');
    expect(done).toMatchObject({ exitCode: 0, workerId: 'w1', workerName: 'worker w1', attempt: 1 });
    expect(done.attempts).toHaveLength(1);

    const { entries } = await system.client.request(getTaskHistory, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(entries.map(({ type, actor }) => `${actor}: ${type}`)).toEqual([
      'user Ada: TaskSubmitted',
      'service scheduler: TaskAssigned',
      'worker w1: TaskStarting',
      'worker w1: TaskStarting',
      'worker w1: TaskProgressed',
      'worker w1: TaskStarted',
      'worker w1: TaskProgressed',
      'worker w1: TaskSucceeded',
    ]);
    expect(entries.map(({ version }) => version)).toEqual([1, 2, 3, 4, 4, 5, 6, 7]);
  });

  it('holds a report that overtakes its assignment', async () => {
    const { task } = await system.submit();
    await system.exit(task.id);
    await eventually(async () => {
      const jsm = await manager(system.service.nc);
      expect((await jsm.consumers.info('REPORTS', 'tasks-reports')).num_ack_pending).toBeGreaterThan(0);
    });
    expect((await system.get(task.id)).status).toBe('queued');
    await system.assign(task);
    await system.until(task.id, 'succeeded');
    expect(await types(task.id)).toEqual(['TaskSubmitted', 'TaskAssigned', 'TaskStarted', 'TaskSucceeded']);
  });

  it('goes back to the queue when its worker is lost, and the old worker’s word no longer counts', async () => {
    const task = await system.running();
    await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    const waiting = await system.until(task.id, 'queued');
    expect(waiting).toMatchObject({ attempt: 2, retriesUsed: 0, workerId: null });
    await system.exit(task.id, 0, 1, 'w1');
    await eventually(async () => expect(await types(task.id)).toContain('StaleReportIgnored'));
    await system.assign(waiting, 2, 'w2');
    await system.exit(task.id, 0, 2, 'w2');
    const done = await system.until(task.id, 'succeeded');
    expect(done.attempts.map(({ workerId, status }) => `${workerId} ${status}`)).toEqual(['w1 failed', 'w2 succeeded']);
  });

  it('uses its retries with back-off, then fails', async () => {
    const before = Date.now();
    const task = await system.running({ retries: 1 });
    await system.exit(task.id, 3);
    const waiting = await system.until(task.id, 'queued');
    expect(waiting).toMatchObject({ attempt: 2, retriesUsed: 1 });
    expect(waiting.notBefore).toBeGreaterThanOrEqual(before + 500);
    await system.assign(waiting, 2);
    await system.exit(task.id, 3, 2);
    expect(await system.until(task.id, 'failed')).toMatchObject({
      exitCode: 3,
      failure: { class: 'user_exit', message: 'The command exited with code 3.' },
    });
  });

  it('gives the retry after running out of memory more of it', async () => {
    const task = await system.running({ retries: 1, retryMemoryFactor: 2, resources: { memoryMb: 300 } });
    const message = 'Used more than 300 MiB.';
    await system.report(task.id, {
      type: 'exited',
      outcome: 'out_of_memory',
      exitCode: 137,
      message,
      finishedAt: Date.now(),
    });
    expect(await system.until(task.id, 'queued')).toMatchObject({
      attempt: 2,
      memoryMb: 600,
      spec: { resources: { memoryMb: 300 } },
      message: `attempt 1 ended: ${message} The next one gets 600 MiB.`,
    });
  });

  it('refuses a report under a foreign subject: the dead letters have it, the task does not', async () => {
    const task = await system.running();
    await system.report(
      task.id,
      { type: 'exited', outcome: 'exited', exitCode: 0, message: '', finishedAt: 1 },
      1,
      'w1',
      subjects.report('w9', task.id),
    );
    await eventually(async () => {
      const jsm = await manager(system.service.nc);
      const info = await jsm.streams.info('DLQ', { subjects_filter: subjects.deadLetter('REPORTS', 'tasks-reports') });
      expect(Object.values(info.state.subjects ?? {}).reduce((sum, count) => sum + count, 0)).toBe(1);
    });
    expect((await system.get(task.id)).status).toBe('running');
  });
});

describe('submit', () => {
  it('makes one task of one key, also for submissions at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => system.submit({ name: 'once' }, { idempotencyKey: 'k1' })),
    );
    expect(new Set(answers.map(({ task }) => task.id)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await types(answers[0]?.task.id ?? '')).toEqual(['TaskSubmitted']);
    const other = await system.submit({ name: 'once' }, { by: bob, idempotencyKey: 'k1' });
    expect(other.duplicate).toBe(false);
  });

  it('refuses a key that was used for something else', async () => {
    await system.submit({ name: 'first' }, { idempotencyKey: 'k2' });
    await expect(system.submit({ name: 'second' }, { idempotencyKey: 'k2' })).rejects.toMatchObject({
      code: 'TASK.IDEMPOTENCY_CONFLICT',
      kind: 'conflict',
    });
  });

  it('names the fields that are wrong', async () => {
    await expect(system.submit({ name: '', image: 'Not An Image' })).rejects.toMatchObject({
      code: 'INPUT.INVALID',
      fields: [{ path: 'spec.name' }, { path: 'spec.image' }],
    });
  });

  it('refuses a spec that is too large for a message', async () => {
    const env = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, 'x'.repeat(30_000)]));
    await expect(system.submit({ env })).rejects.toMatchObject({
      code: 'TASK.SPEC_TOO_LARGE',
      kind: 'limit',
      fields: [{ path: 'spec' }],
    });
  });

  it('needs a user', async () => {
    const input = { spec: { name: 'n', image: 'busybox' } };
    for (const actor of [
      { kind: 'anonymous' },
      { kind: 'worker', id: 'w1' },
      { kind: 'service', id: 'scheduler' },
    ] as const) {
      await expect(system.client.request(submitTask, input, as(actor))).rejects.toMatchObject({
        code: 'TASK.ACTOR_NOT_ALLOWED',
      });
    }
  });

  it('counts positions per queue by priority, then age', async () => {
    const queue = 'positions';
    const first = await system.submit({ queue });
    const second = await system.submit({ queue });
    const urgent = await system.submit({ queue, priority: 10 });
    expect([first, second, urgent].map(({ queuePosition }) => queuePosition)).toEqual([1, 2, 1]);
    const position = async (taskId: string) =>
      (await system.client.request(getTask, { taskId, visibleTo: null }, as(root))).queuePosition;
    expect(await position(second.task.id)).toBe(3);
    await system.assign(urgent.task);
    await system.until(urgent.task.id, 'assigned');
    expect(await position(second.task.id)).toBe(2);
    expect(await position(urgent.task.id)).toBeNull();
  });
});

describe('cancel', () => {
  it('ends a waiting task at once', async () => {
    const { task } = await system.submit();
    const cancelled = await system.client.request(
      cancelTask,
      { taskId: task.id, visibleTo: 'ada', reason: 'typo' },
      as(ada),
    );
    expect(cancelled).toMatchObject({ status: 'cancelled', version: 2 });
    const again = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(again.version).toBe(2);
  });

  it('of a running task is over when the agent says so', async () => {
    const task = await system.running();
    const asked = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(asked.status).toBe('running');
    expect(asked.cancelRequestedAt).not.toBeNull();
    await system.report(task.id, { type: 'exited', outcome: 'cancelled', message: 'stopped', finishedAt: Date.now() });
    await system.until(task.id, 'cancelled');
    await expect(
      system.client.request(cancelTask, { taskId: (await finished()).id, visibleTo: 'ada' }, as(ada)),
    ).rejects.toMatchObject({
      code: 'TASK.ALREADY_FINISHED',
    });
  });

  it('of a task whose worker is lost ends it, and never requeues', async () => {
    const task = await system.running({ retries: 3 });
    await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    await system.until(task.id, 'cancelled');
    expect(await types(task.id)).not.toContain('TaskRequeued');
  });
});

async function finished() {
  const task = await system.running();
  await system.exit(task.id);
  return system.until(task.id, 'succeeded');
}

describe('retry and delete', () => {
  it('repeats an ended task as a new one that links to it', async () => {
    const old = await finished();
    const retry = await system.client.request(
      retryTask,
      { taskId: old.id, visibleTo: null, idempotencyKey: 'r' },
      as(root),
    );
    expect(retry).toMatchObject({
      retryOf: old.id,
      status: 'queued',
      ownerId: 'ada',
      ownerName: 'Ada',
      spec: old.spec,
    });
    const again = await system.client.request(
      retryTask,
      { taskId: old.id, visibleTo: null, idempotencyKey: 'r' },
      as(root),
    );
    expect(again.id).toBe(retry.id);
    await expect(
      system.client.request(retryTask, { taskId: retry.id, visibleTo: 'ada' }, as(ada)),
    ).rejects.toMatchObject({ code: 'TASK.NOT_FINISHED' });
  });

  it('deletes only ended tasks, with their files', async () => {
    const { task: waiting } = await system.submit();
    await expect(
      system.client.request(deleteTask, { taskId: waiting.id, visibleTo: 'ada' }, as(ada)),
    ).rejects.toMatchObject({ code: 'TASK.NOT_FINISHED' });
    const task = await system.running({ name: 'to be deleted' });
    await system.upload(task.id, 'a.txt', Buffer.from('hello'));
    await system.exit(task.id);
    await system.until(task.id, 'succeeded');
    const before = await system.client.request(countTasks, { visibleTo: 'ada' }, as(ada));
    await system.client.request(deleteTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    await expect(system.get(task.id)).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
    const { tasks } = await system.client.request(
      listRecentTasks,
      { visibleTo: null, filter: { search: 'to be deleted' }, now: Date.now() },
      as(root),
    );
    expect(tasks).toEqual([]);
    const after = await system.client.request(countTasks, { visibleTo: 'ada' }, as(ada));
    expect(after.byStatus.succeeded).toBe(before.byStatus.succeeded - 1);
    const jsm = await manager(system.service.nc);
    const info = await jsm.streams.info(streams.artifacts.name, { subjects_filter: `artifacts.${task.id}.>` });
    expect(info.state.subjects ?? {}).toEqual({});
    await expect(
      system.client.request(deleteTask, { taskId: task.id, visibleTo: 'ada' }, as(ada)),
    ).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
  });
});

describe('lists', () => {
  it('shows a task the moment it was submitted, and pages by keyset', async () => {
    const submitted: string[] = [];
    for (let index = 0; index < 5; index += 1) submitted.push((await system.submit({ tags: ['paged'] })).task.id);
    const query = { visibleTo: 'ada', filter: { tag: 'paged' }, limit: 2, now: Date.now() };
    const seen: string[] = [];
    let after: { value: number; id: string } | undefined;
    for (let page = 0; page < 3; page += 1) {
      const { tasks } = await system.client.request(
        listRecentTasks,
        after === undefined ? query : { ...query, after },
        as(ada),
      );
      seen.push(...tasks.map(({ id }) => id));
      const last = tasks.at(-1);
      if (last !== undefined) after = { value: last.createdAt, id: last.id };
    }
    expect([...seen].sort()).toEqual([...submitted].sort());
  });
});

describe('other people’s tasks', () => {
  it('are not found, whatever is asked', async () => {
    const task = await system.running();
    const artifact = await system.upload(task.id, 'secret.txt', Buffer.from('secret'));
    const taskId = task.id;
    const ask = <C extends RequestContract>(contract: C, extra: object, visibleTo: string | null) =>
      system.client.request(contract, { taskId, visibleTo, ...extra } as InputOf<C>, as(bob));
    const requests: [RequestContract, object][] = [
      [getTask, {}],
      [getTaskHistory, {}],
      [cancelTask, {}],
      [retryTask, {}],
      [deleteTask, {}],
      [getArtifact, { artifactId: artifact.id }],
      [readArtifact, { artifactId: artifact.id, offset: 0, length: 10 }],
    ];
    for (const [contract, extra] of requests) {
      await expect(ask(contract, extra, 'bob'), contract.subject).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
      // An edge that forgets the filter, or passes a wrong one, is stopped here.
      await expect(ask(contract, extra, null), contract.subject).rejects.toMatchObject({
        code: 'TASK.VISIBILITY_NOT_ALLOWED',
      });
      await expect(ask(contract, extra, 'ada'), contract.subject).rejects.toMatchObject({
        code: 'TASK.VISIBILITY_NOT_ALLOWED',
      });
    }
    const { tasks } = await system.client.request(
      listRecentTasks,
      { visibleTo: 'bob', filter: { ownerId: 'ada' }, now: 1 },
      as(bob),
    );
    expect(tasks).toEqual([]);
    for (const visibleTo of [null, 'ada']) {
      await expect(system.client.request(listRecentTasks, { visibleTo, now: 1 }, as(bob))).rejects.toMatchObject({
        kind: 'forbidden',
      });
      await expect(system.client.request(countTasks, { visibleTo }, as(bob))).rejects.toMatchObject({
        kind: 'forbidden',
      });
    }
    expect((await system.get(taskId)).status).toBe('running');
  });
});

describe('restart', () => {
  it('finds everything again and goes on', async () => {
    const { task: waiting } = await system.submit({ queue: 'restart' }, { idempotencyKey: 'before restart' });
    const running = await system.running({ retries: 1 });
    const done = await finished();
    const counts = await system.client.request(countTasks, { visibleTo: null }, as(root));

    await system.restartService((nc) =>
      publishJson(nc, subjects.report('w1', running.id), {
        id: 'while-away',
        workerId: 'w1',
        taskId: running.id,
        attempt: 1,
        at: Date.now(),
        report: { type: 'exited', outcome: 'exited', exitCode: 1, message: '', finishedAt: Date.now() },
      }),
    );

    expect(await system.get(done.id)).toEqual(done);
    expect(await system.until(running.id, 'queued')).toMatchObject({ attempt: 2, retriesUsed: 1 });
    const again = await system.submit({ queue: 'restart' }, { idempotencyKey: 'before restart' });
    expect(again).toMatchObject({ duplicate: true, queuePosition: 1 });
    expect(again.task).toEqual(waiting);
    const after = await system.client.request(countTasks, { visibleTo: null }, as(root));
    expect(after.byStatus).toEqual({
      ...counts.byStatus,
      running: counts.byStatus.running - 1,
      queued: counts.byStatus.queued + 1,
    });
  });
});
