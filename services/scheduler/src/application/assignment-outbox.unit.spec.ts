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
let deposedBy: number[];
let outbox: AssignmentOutbox;

beforeEach(() => {
  store = new InMemoryEventStore();
  stored = [];
  refused = [];
  deposedBy = [];
  outbox = new AssignmentOutbox({
    store,
    clock: new ManualClock(),
    ids: new SequentialIds(),
    logger: createLogger('test', { level: 'silent', format: 'json' }),
    onStored: (one) => stored.push(one),
    onRefused: (_workerId, events) => refused.push(...events),
    onDeposed: (epoch) => deposedBy.push(epoch),
  });
});

const taskIds = () =>
  store.all.map(({ commit }) => commit.events.map(({ data }) => ('taskId' in data ? data.taskId : 'epoch')));

describe('the outbox', () => {
  it('stores in order, one commit at a time per worker, and lets what waits share the next one', async () => {
    outbox.start({ epoch: 1, leader: 'me' });
    for (const taskId of ['a', 'b', 'c']) outbox.enqueue('w', revoke(taskId));
    await outbox.idle();
    expect(taskIds()).toEqual([
      ['epoch', 'a'],
      ['b', 'c'],
    ]);
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
      onDeposed: () => undefined,
    });
    outbox.start({ epoch: 1, leader: 'me' });
    await other.fence('w', { epoch: 2, leader: 'other' });
    // The first is on its way when the second is decided: a paused process can have any number of them in hand.
    outbox.enqueue('w', revoke('late'));
    outbox.enqueue('w', revoke('later'));
    await outbox.idle();
    expect(refused.filter(({ type }) => type === 'AssignmentRevoked')).toEqual([revoke('later'), revoke('late')]);
    expect(taskIds()).toEqual([['epoch']]);
    expect(stored.map(({ commit }) => commit.events[0]!.type)).toEqual(['EpochStarted']);
    expect(deposedBy).toEqual([2]);
    outbox.enqueue('w', revoke('again'));
    await outbox.idle();
    expect(taskIds()).toEqual([['epoch']]);
    await expect(outbox.fence('w', { epoch: 1, leader: 'me' })).rejects.toMatchObject({ code: 'SCHEDULER.DEPOSED' });
  });

  it('fences over what it had not seen', async () => {
    const seen = new AssignmentOutbox({
      store,
      clock: new ManualClock(),
      ids: { next: () => 'first' },
      logger: createLogger('test', { level: 'silent', format: 'json' }),
      onStored: () => undefined,
      onRefused: () => undefined,
      onDeposed: () => undefined,
    });
    seen.start({ epoch: 1, leader: 'first' });
    seen.enqueue('w', revoke('earlier'));
    await seen.idle();
    await outbox.fence('w', { epoch: 3, leader: 'me' });
    expect(taskIds()).toEqual([['epoch', 'earlier'], ['epoch']]);
    expect(stored.map(({ streamSequence }) => streamSequence)).toEqual([1, 2]);
  });

  it('fences a worker that joins later, before or with its first assignment', async () => {
    outbox.start({ epoch: 4, leader: 'me' });
    outbox.welcome('early');
    outbox.enqueue('early', revoke('a'));
    outbox.enqueue('late', revoke('b'));
    await outbox.idle();
    outbox.welcome('early');
    outbox.welcome('late');
    await outbox.idle();
    expect(store.all.map(({ subject, commit }) => [subject, ...commit.events.map(({ type }) => type)])).toEqual([
      ['assign.early', 'EpochStarted'],
      ['assign.late', 'EpochStarted', 'AssignmentRevoked'],
      ['assign.early', 'AssignmentRevoked'],
    ]);
  });

  it('refuses what it has not sent when it stops', async () => {
    outbox.enqueue('w', revoke('a'));
    outbox.stop();
    await outbox.idle();
    expect(refused).toEqual([revoke('a')]);
    expect(store.all).toEqual([]);
  });
});
