import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WorkerWorld } from '../testing/worker-world.js';
import { AssignmentInbox } from './assignment-inbox.js';

describe('the inbox of assignments', () => {
  let world: WorkerWorld;
  let life: AbortController;
  let applied: (readonly AssignEvent[])[];

  const tasksApplied = (): string[] =>
    applied.flatMap((events) => events.flatMap(({ type, data }) => (type === 'TaskAssigned' ? [data.taskId] : [])));

  const startInbox = async (last: { startAfter?: number; appliedAt?: number } = {}): Promise<AssignmentInbox> => {
    const inbox = new AssignmentInbox(
      world.nc,
      {
        workerId: world.workerId,
        startAfter: last.startAfter,
        appliedAt: last.appliedAt,
        takeLongestGap: () => 0,
        apply: (events) => applied.push(events),
        logger: world.logger(),
      },
      life.signal,
    );
    await inbox.start();
    return inbox;
  };

  beforeEach(async () => {
    world = await WorkerWorld.create();
    life = new AbortController();
    applied = [];
  });

  afterEach(async () => {
    life.abort();
    await world.stop();
  });

  it('goes on when the stream was set back, as a restore from a backup does', async () => {
    const before = [await world.assign({}), await world.assign({}), await world.assign({})];
    const inbox = await startInbox();
    expect(tasksApplied()).toEqual(before);
    expect(inbox.appliedSequence).toBe(3);

    await (await manager(world.nc)).streams.delete(streams.assign.name);
    await ensureStream(world.nc, streams.assign);
    const after = [await world.assign({})];
    await eventually(() => expect(tasksApplied()).toEqual([...before, ...after]), { timeoutMs: 5_000 });
    expect(inbox.appliedSequence).toBe(1);
    after.push(await world.assign({}));
    await eventually(() => expect(tasksApplied()).toEqual([...before, ...after]), { timeoutMs: 5_000 });
  });

  it('applies nothing twice when the newest assignment cannot be seen, as after a kill of the broker', async () => {
    await world.assign({});
    await world.assign({});
    await publishJson(world.nc, subjects.assign('another'), {});
    // It was applied, and the stream goes as far; the newest that is seen of this worker is the second.
    const inbox = await startInbox({ startAfter: 3 });
    expect(tasksApplied()).toEqual([]);
    const next = await world.assign({});
    await eventually(() => expect(tasksApplied()).toEqual([next]), { timeoutMs: 5_000 });
    expect(inbox.appliedSequence).toBe(4);
  });

  it('passes over what a restored stream holds from before, and takes what came since', async () => {
    const restored = [await world.assign({}), await world.assign({})];
    const appliedAt = Date.now() + 200;
    await startInbox({ startAfter: 10, appliedAt });
    expect(tasksApplied()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, appliedAt + 10 - Date.now()));
    const since = await world.assign({});
    await eventually(() => expect(tasksApplied()).toEqual([since]), { timeoutMs: 5_000 });
    expect(restored).toHaveLength(2);
  });
});
