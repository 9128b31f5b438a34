import type { Report } from '@gantry/contracts/agents/report';
import { subjects } from '@gantry/contracts/messaging/streams';
import { countTasks, getTaskHistory } from '@gantry/contracts/tasks/task-requests';

import { publishJson } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, root, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

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
    await system.until(task.id, 'assigned');
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

  it('of a short task whose reports come as one message is its submission and one commit with every state', async () => {
    const { task } = await system.submit();
    const at = Date.now();
    const earlier: Report['earlier'] = [
      { at, report: { type: 'accepted' } },
      { at, report: { type: 'started', startedAt: at, containerId: 'c1' } },
    ];
    await system.exit(task.id, 0, 1, 'w1', undefined, earlier);
    await system.assign(task);
    expect(await system.until(task.id, 'succeeded')).toMatchObject({ exitCode: 0, startedAt: at });
    const { entries } = await system.client.request(getTaskHistory, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(entries.map(({ type, version, actor }) => `${version}: ${type}, ${actor}`)).toEqual([
      '1: TaskSubmitted, user Ada',
      '2: TaskAssigned, service scheduler',
      '2: TaskStarting, worker w1',
      '2: TaskStarted, worker w1',
      '2: TaskSucceeded, worker w1',
    ]);
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
    expect(await system.eventTypes(task.id)).toEqual(['TaskSubmitted', 'TaskAssigned', 'TaskStarted', 'TaskSucceeded']);
  });

  it('goes back to the queue when its worker is lost, and the old worker’s word no longer counts', async () => {
    const task = await system.running();
    await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    const waiting = await system.until(task.id, 'queued');
    expect(waiting).toMatchObject({ attempt: 2, retriesUsed: 0, workerId: null });
    await system.exit(task.id, 0, 1, 'w1');
    await eventually(async () => expect(await system.eventTypes(task.id)).toContain('StaleReportIgnored'));
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

describe('a decision that nobody can read', () => {
  it.each([
    ['ASSIGN', 'tasks-assign', subjects.assign('w1')],
    ['SCHED', 'tasks-sched', subjects.sched('worker', 'w1')],
  ])('of stream %s goes to the dead letters, and the next one is recorded', async (stream, durable, subject) => {
    const task = await system.running();
    await publishJson(system.service.nc, subject, { no: 'commit' });
    await system.decide(subject, stream, [
      { type: 'TaskAssigned', data: {} },
      { type: 'WorkerLost', data: {} },
    ]);
    if (stream === 'SCHED') await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    await system.until(task.id, stream === 'SCHED' ? 'queued' : 'running');
    expect((await system.running()).status).toBe('running');
    const letters = subjects.deadLetter(stream, durable);
    await eventually(async () => {
      const jsm = await manager(system.service.nc);
      const { state } = await jsm.streams.info('DLQ', { subjects_filter: letters });
      expect(state.subjects).toEqual({ [letters]: 2 });
    });
  });
});

describe('restart', () => {
  it('finds everything again and goes on', async () => {
    const { task: waiting } = await system.submit({ queue: 'restart' }, { idempotencyKey: 'before restart' });
    const running = await system.running({ retries: 1 });
    const done = await system.finished();
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
