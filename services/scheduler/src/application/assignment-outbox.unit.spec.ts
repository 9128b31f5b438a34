import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { ManualClock } from '@gantry/kernel/clock';
import { SequentialIds } from '@gantry/kernel/ids';
import { createLogger } from '@gantry/nest-platform/logger';
import { beforeEach, describe, expect, it } from 'vitest';
import { AssignmentOutbox } from './assignment-outbox.js';

const revoke = (taskId: string): AssignEvent => ({
  type: 'AssignmentRevoked',
  data: { taskId, attempt: 1, graceMs: 0, reason: 'cancelled', revokedAt: 1 },
});

let store: InMemoryEventStore<AssignEvent>;
let stored: StoredCommit<AssignEvent>[];
let refused: AssignEvent[];
let outbox: AssignmentOutbox;

beforeEach(() => {
  store = new InMemoryEventStore();
  stored = [];
  refused = [];
  outbox = new AssignmentOutbox({
    store,
    clock: new ManualClock(),
    ids: new SequentialIds(),
    logger: createLogger('test', { level: 'silent', format: 'json' }),
    onStored: (one) => stored.push(one),
    onRefused: (_workerId, events) => refused.push(...events),
  });
});

const taskIds = () =>
  store.all.map(({ commit }) => commit.events.map(({ data }) => ('taskId' in data ? data.taskId : 'epoch')));

describe('the outbox', () => {
  it('stores in order, one commit at a time per worker, and lets what waits share the next one', async () => {
    outbox.start();
    for (const taskId of ['a', 'b', 'c']) outbox.enqueue('w', revoke(taskId));
    await outbox.idle();
    expect(taskIds()).toEqual([['a'], ['b', 'c']]);
    expect(store.all.map(({ commit }) => commit.version)).toEqual([1, 2]);
    expect(stored).toHaveLength(2);
  });

  it('is refused once another leader has fenced the subject, and knows afterwards what the other wrote', async () => {
    const clock = new ManualClock();
    const ids = { next: () => `other-${Math.floor(clock.now())}-${(clock.advance(1), clock.now())}` };
    const logger = createLogger('test', { level: 'silent', format: 'json' });
    const other = new AssignmentOutbox({
      store,
      clock,
      ids,
      logger,
      onStored: () => undefined,
      onRefused: () => undefined,
    });
    outbox.start();
    await other.fence('w', 2, 'other');
    outbox.enqueue('w', revoke('late'));
    await outbox.idle();
    expect(refused).toEqual([revoke('late')]);
    expect(taskIds()).toEqual([['epoch']]);
    expect(stored.map(({ commit }) => commit.events[0]!.type)).toEqual(['EpochStarted']);
    outbox.enqueue('w', revoke('again'));
    await outbox.idle();
    expect(taskIds()).toEqual([['epoch'], ['again']]);
  });

  it('fences over what it had not seen', async () => {
    const seen = new AssignmentOutbox({
      store,
      clock: new ManualClock(),
      ids: { next: () => 'first' },
      logger: createLogger('test', { level: 'silent', format: 'json' }),
      onStored: () => undefined,
      onRefused: () => undefined,
    });
    seen.start();
    seen.enqueue('w', revoke('earlier'));
    await seen.idle();
    await outbox.fence('w', 3, 'me');
    expect(taskIds()).toEqual([['earlier'], ['epoch']]);
    expect(stored.map(({ streamSequence }) => streamSequence)).toEqual([1, 2]);
  });

  it('refuses what it has not sent when it stops', async () => {
    outbox.enqueue('w', revoke('a'));
    outbox.stop();
    await outbox.idle();
    expect(refused).toEqual([revoke('a')]);
    expect(store.all).toEqual([]);
  });
});
