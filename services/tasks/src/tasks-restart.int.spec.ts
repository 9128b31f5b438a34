import { streams } from '@gantry/contracts/messaging/streams';
import { cancelTask, countTasks, listRecentTasks } from '@gantry/contracts/tasks/task-requests';
import { KvSnapshotStore } from '@gantry/jetstream/snapshot-store';
import { manager } from '@gantry/jetstream/stream-admin';
import type { StreamPosition } from '@gantry/event-sourcing/snapshot-store.port';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TASK_SNAPSHOT_VERSION } from './application/task-snapshot.js';
import { as, root, TasksSystem } from './tasks-system.fixture.js';
import { TasksModule } from './tasks.module.js';

let system: TasksSystem;
beforeEach(async () => {
  system = await TasksSystem.start(
    TasksModule.with({ snapshots: { everyCommits: 1, checkMs: 20, atStopFromCommits: 1 } }),
  );
});
afterEach(() => system?.stop());

const snapshotPosition = async (): Promise<StreamPosition | undefined> => {
  const store = new KvSnapshotStore(system.service.nc, 'tasks');
  return (await store.positions('board', TASK_SNAPSHOT_VERSION))?.[streams.tasks.name];
};
const listed = async () => {
  const { tasks } = await system.client.request(
    listRecentTasks,
    { visibleTo: null, filter: {}, sort: 'created', descending: false, limit: 100, now: Date.now() },
    as(root),
  );
  return tasks;
};

describe('after a restart', () => {
  it('the board is there from its snapshot, with the queue and what was stored meanwhile', async () => {
    const { task: first } = await system.submit({ name: 'first' });
    const { task: second } = await system.submit({ name: 'second' });
    const { task: gone } = await system.submit({ name: 'gone' });
    await system.client.request(cancelTask, { taskId: gone.id, visibleTo: null }, as(root));
    const before = await listed();
    await system.restartService(async (nc) => {
      // What a snapshot covers is not read again: without these messages the stream alone could not tell of the tasks.
      await (await manager(nc)).streams.deleteMessage(streams.tasks.name, 2);
      await (await manager(nc)).streams.deleteMessage(streams.tasks.name, 3);
    });
    expect(await listed()).toEqual(before);
    const { byStatus } = await system.client.request(countTasks, { visibleTo: null }, as(root));
    expect(byStatus).toMatchObject({ queued: 2, cancelled: 1 });
    const { task: third } = await system.submit({ name: 'third' });
    expect((await listed()).map(({ id }) => id)).toContain(third.id);
    await system.client.request(cancelTask, { taskId: first.id, visibleTo: null }, as(root));
    expect((await system.get(first.id)).status).toBe('cancelled');
    expect((await system.get(second.id)).status).toBe('queued');
  });

  it('a snapshot of a stream that was set back is dropped, and the board shows what the stream holds', async () => {
    await system.submit({ name: 'lost' });
    const { task: alsoLost } = await system.submit({ name: 'also lost' });
    await eventually(async () => expect((await snapshotPosition())?.sequence).toBe(2));
    await system.restartService(async (nc) => {
      await (await manager(nc)).streams.delete(streams.tasks.name);
    });
    expect(await listed()).toEqual([]);
    const { task } = await system.submit({ name: 'new' });
    expect((await listed()).map(({ id }) => id)).toEqual([task.id]);
    await expect(system.get(alsoLost.id)).rejects.toMatchObject({ code: 'TASK.NOT_FOUND' });
    await eventually(async () => expect((await snapshotPosition())?.sequence).toBe(1));
  });

  it('a snapshot that is damaged is not needed', async () => {
    const { task } = await system.submit({ name: 'kept' });
    await eventually(async () => expect((await snapshotPosition())?.sequence).toBe(1));
    await system.restartService(async (nc) => {
      const { streams: admin } = await manager(nc);
      const { state } = await admin.info('KV_tasks', { subjects_filter: '$KV.tasks.snapshot.board.*.>' });
      for (const subject of Object.keys(state.subjects ?? {})) await admin.purge('KV_tasks', { filter: subject });
    });
    expect(await listed()).toEqual([task]);
  });
});
