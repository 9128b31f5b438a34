import { getTask, submitTask } from '@gantry/contracts/tasks/task-requests';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, bob, root, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
beforeAll(async () => {
  system = await TasksSystem.start();
});
afterAll(() => system?.stop());

describe('submit', () => {
  it('makes one task of one key, also for submissions at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => system.submit({ name: 'once' }, { idempotencyKey: 'k1' })),
    );
    expect(new Set(answers.map(({ task }) => task.id)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await system.eventTypes(answers[0]?.task.id ?? '')).toEqual(['TaskSubmitted']);
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
