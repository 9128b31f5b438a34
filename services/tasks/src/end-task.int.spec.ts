import { streams } from '@gantry/contracts/messaging/streams';
import { cancelTask, countTasks, deleteTask, listRecentTasks, retryTask } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { manager } from '@gantry/jetstream/stream-admin';
import { jetstream } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, root, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

describe('cancel', () => {
  it('ends a waiting task within its answer', async () => {
    const { task } = await system.submit();
    const cancelled = await system.client.request(
      cancelTask,
      { taskId: task.id, visibleTo: 'ada', reason: 'typo' },
      as(ada),
    );
    expect(cancelled).toMatchObject({ status: 'cancelled', version: 3 });
    const again = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(again.version).toBe(3);
  });

  it('of a waiting task that nobody has withdrawn yet is asked for, and over when the scheduler says so', async () => {
    const { task } = await system.submit();
    system.scheduler.places(task.id);
    const asked = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(asked).toMatchObject({ status: 'queued', version: 2 });
    expect(asked.cancelRequestedAt).not.toBeNull();
    await system.scheduler.withdraw(task.id);
    await system.until(task.id, 'cancelled');
    expect(await system.eventTypes(task.id)).toEqual(['TaskSubmitted', 'TaskCancelRequested', 'TaskCancelled']);
  });

  it('of a running task is over when the agent says so', async () => {
    const task = await system.running();
    const asked = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(asked.status).toBe('running');
    expect(asked.cancelRequestedAt).not.toBeNull();
    await system.report(task.id, { type: 'exited', outcome: 'cancelled', message: 'stopped', finishedAt: Date.now() });
    await system.until(task.id, 'cancelled');
    await expect(
      system.client.request(cancelTask, { taskId: (await system.finished()).id, visibleTo: 'ada' }, as(ada)),
    ).rejects.toMatchObject({
      code: 'TASK.ALREADY_FINISHED',
    });
  });

  it('of a task whose worker is lost ends it, and never requeues', async () => {
    const task = await system.running({ retries: 3 });
    await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    await system.loseWorker('w1', [{ taskId: task.id, attempt: 1 }]);
    await system.until(task.id, 'cancelled');
    expect(await system.eventTypes(task.id)).not.toContain('TaskRequeued');
  });
});

describe('cancel of a task that has a worker already, though nobody has recorded it', () => {
  /** As a replica that is killed with the message in hand: the others get it when its acknowledgement is overdue. */
  const assignUnrecorded = async (task: TaskView): Promise<void> => {
    await system.restartService(async (nc) => {
      await system.assign(task, 1, 'w1', nc);
      const consumer = await jetstream(nc).consumers.get(streams.assign.name, 'tasks-assign');
      const held = await consumer.fetch({ max_messages: 100, expires: 1_000 });
      let taken = 0;
      for await (const _ of held) taken += 1;
      expect(taken).toBeGreaterThan(0);
    });
  };

  it('is confirmed by the agent alone', async () => {
    const { task } = await system.submit();
    await assignUnrecorded(task);
    const asked = await system.client.request(cancelTask, { taskId: task.id, visibleTo: 'ada' }, as(ada));
    expect(asked).toMatchObject({ status: 'queued', workerId: null });
    expect(asked.cancelRequestedAt).not.toBeNull();
    // What the other replica could not record any more.
    await system.assign(task);
    await system.until(task.id, 'assigned');
    await system.report(task.id, { type: 'exited', outcome: 'cancelled', message: 'stopped', finishedAt: Date.now() });
    await system.until(task.id, 'cancelled');
    expect(await system.eventTypes(task.id)).toEqual([
      'TaskSubmitted',
      'TaskCancelRequested',
      'TaskAssigned',
      'TaskCancelled',
    ]);
  });
});

describe('retry and delete', () => {
  it('repeats an ended task as a new one that links to it', async () => {
    const old = await system.finished();
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
