import { describe, expect, it } from 'vitest';
import { NewestTasks } from './newest-tasks';

const task = (version: number, fields: Record<string, unknown>) => ({
  __typename: 'Task',
  id: 't',
  version,
  ...fields,
});

describe('tasks in answers', () => {
  it('do not go back when an older answer comes after a newer push', () => {
    const newest = new NewestTasks();
    newest.take({ task: task(6, { status: 'cancelled', finishedAt: 9 }) });
    expect(newest.take({ cancelTask: task(5, { status: 'running', finishedAt: null }) })).toEqual({
      cancelTask: task(6, { status: 'cancelled', finishedAt: 9 }),
    });
  });

  it('go on, and take again what was changed at the same version', () => {
    const newest = new NewestTasks();
    newest.take({ task: task(5, { status: 'running' }) });
    expect(newest.take({ task: task(6, { status: 'succeeded' }) }).task).toEqual(task(6, { status: 'succeeded' }));
    expect(newest.take({ task: task(6, { ownerName: 'Ada' }) }).task).toEqual(task(6, { ownerName: 'Ada' }));
  });

  it('keep the newest of every field, in lists too, when answers ask for different fields', () => {
    const newest = new NewestTasks();
    newest.take({ task: task(4, { attempts: ['one', 'two'] }) });
    newest.take({ tasks: { edges: [{ node: task(6, { status: 'running' }) }] } });
    const late = newest.take({ tasks: [task(3, { attempts: ['one'], status: 'queued', image: 'i' })] });
    expect(late.tasks).toEqual([task(6, { attempts: ['one', 'two'], status: 'running', image: 'i' })]);
  });

  it('are told apart by id, and other objects are left as they are', () => {
    const newest = new NewestTasks();
    newest.take({ task: task(6, { status: 'cancelled' }) });
    const other = {
      task: { ...task(1, { status: 'queued' }), id: 'u' },
      worker: { __typename: 'Worker', id: 't', version: 1 },
    };
    expect(newest.take(other)).toEqual(other);
    expect(newest.take({ task: { __typename: 'Task', id: 't', history: [] } })).toEqual({
      task: { __typename: 'Task', id: 't', history: [] },
    });
    expect(newest.take(null)).toBeNull();
  });

  it('are forgotten when many others came since', () => {
    const newest = new NewestTasks();
    newest.take({ task: task(6, { status: 'cancelled' }) });
    newest.take(Array.from({ length: 2_000 }, (_, index) => ({ ...task(1, {}), id: `other ${index}` })));
    expect(newest.take({ task: task(5, { status: 'running' }) })).toEqual({ task: task(5, { status: 'running' }) });
  });
});
