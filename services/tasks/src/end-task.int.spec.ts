import { streams } from '@gantry/contracts/messaging/streams';
import { cancelTask, countTasks, deleteTask, listRecentTasks, retryTask } from '@gantry/contracts/tasks/task-requests';
import { manager } from '@gantry/jetstream/stream-admin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, root, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

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
