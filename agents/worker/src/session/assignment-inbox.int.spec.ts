import { streams } from '@gantry/contracts/messaging/streams';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerWorld } from '../testing/worker-world.js';
import { AssignmentInbox } from './assignment-inbox.js';

describe('the inbox of assignments', () => {
  let world: WorkerWorld;
  const life = new AbortController();
  const applied: { events: readonly AssignEvent[]; sequence: number }[] = [];

  const runningOf = (): string[] =>
    applied.flatMap(({ events }) => events.flatMap(({ type, data }) => (type === 'TaskAssigned' ? [data.taskId] : [])));

  beforeAll(async () => {
    world = await WorkerWorld.create();
  });

  afterAll(async () => {
    life.abort();
    await world?.stop();
  });

  it('goes on when the stream was set back, as a restore from a backup does', async () => {
    const before = [await world.assign({}), await world.assign({}), await world.assign({})];
    const inbox = new AssignmentInbox(
      world.nc,
      {
        workerId: world.workerId,
        startAfter: undefined,
        takeLongestGap: () => 0,
        apply: (events, sequence) => applied.push({ events, sequence }),
        logger: world.logger(),
      },
      life.signal,
    );
    await inbox.start();
    expect(runningOf()).toEqual(before);
    expect(inbox.appliedSequence).toBe(3);

    await (await manager(world.nc)).streams.delete(streams.assign.name);
    await ensureStream(world.nc, streams.assign);
    const after = [await world.assign({})];
    await eventually(() => expect(runningOf()).toEqual([...before, ...after]), { timeoutMs: 5_000 });
    expect(inbox.appliedSequence).toBe(1);
    after.push(await world.assign({}));
    await eventually(() => expect(runningOf()).toEqual([...before, ...after]), { timeoutMs: 5_000 });
  });
});
