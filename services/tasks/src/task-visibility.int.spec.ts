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
} from '@gantry/contracts/tasks/task-requests';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, bob, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

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
