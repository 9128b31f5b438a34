import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../event-store.port.js';
import { type CounterEvent, counterCommit } from './commit-builder.js';

export interface StoreSubject {
  /** Empty, with subjects `counters.>`. */
  store: EventStore<CounterEvent>;
  close(): Promise<void>;
}

/** What every implementation of the event store port promises. */
export function storeContractSuite(name: string, makeStore: () => Promise<StoreSubject>): void {
  describe(`event store contract: ${name}`, () => {
    let subject: StoreSubject;
    let store: EventStore<CounterEvent>;

    beforeEach(async () => {
      subject = await makeStore();
      store = subject.store;
    });

    afterEach(() => subject.close());

    it('loads nothing for an aggregate that does not exist', async () => {
      expect(await store.load('counters.a')).toEqual([]);
      expect(await store.newestSequence('counters.a')).toBe(0);
    });

    it('knows the newest commit of one aggregate', async () => {
      const { streamSequence } = await store.append('counters.a', counterCommit('a', 1), 0);
      const newest = await store.append('counters.a', counterCommit('a', 2), streamSequence);
      await store.append('counters.b', counterCommit('b', 1), 0);
      expect(await store.newestSequence('counters.a')).toBe(newest.streamSequence);
    });

    it('loads the commits of one aggregate, oldest first, exactly as they were appended', async () => {
      const first = counterCommit('a', 1, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
      const second = counterCommit('a', 2, {
        events: [
          { type: 'Added', data: { amount: 7 } },
          { type: 'Closed', data: { at: 9 } },
        ],
      });
      const one = await store.append('counters.a', first, 0);
      const other = await store.append('counters.b', counterCommit('b', 1), 0);
      const two = await store.append('counters.a', second, one.streamSequence);
      expect(other.streamSequence).toBeGreaterThan(one.streamSequence);
      expect(await store.load('counters.a')).toEqual([
        { subject: 'counters.a', streamSequence: one.streamSequence, commit: first },
        { subject: 'counters.a', streamSequence: two.streamSequence, commit: second },
      ]);
    });

    it('loads a long history completely and in order', async () => {
      let last = 0;
      for (let version = 1; version <= 120; version += 1) {
        last = (await store.append('counters.long', counterCommit('long', version), last)).streamSequence;
        if (version % 10 === 0)
          await store.append(`counters.noise-${version}`, counterCommit(`noise-${version}`, 1), 0);
      }
      const versions = (await store.load('counters.long')).map((stored) => stored.commit.version);
      expect(versions).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    });

    it('keeps text of every script', async () => {
      const commit = counterCommit('a', 1, { actor: { kind: 'user', id: 'u1', name: 'Žofie 李 🚀', role: 'user' } });
      await store.append('counters.a', commit, 0);
      expect((await store.load('counters.a'))[0]?.commit).toEqual(commit);
    });

    it('refuses an append on an outdated sequence and stores nothing', async () => {
      const { streamSequence } = await store.append('counters.a', counterCommit('a', 1), 0);
      await expect(store.append('counters.a', counterCommit('a', 2, { id: 'late' }), 0)).rejects.toMatchObject({
        code: 'STORE.CONCURRENT_APPEND',
        retryable: true,
      });
      await expect(
        store.append('counters.a', counterCommit('a', 2, { id: 'early' }), streamSequence + 5),
      ).rejects.toMatchObject({
        code: 'STORE.CONCURRENT_APPEND',
      });
      expect(await store.load('counters.a')).toHaveLength(1);
    });

    it('stores a repeated commit once and says so, even after others followed', async () => {
      const commit = counterCommit('a', 1);
      const first = await store.append('counters.a', commit, 0);
      await store.append('counters.a', counterCommit('a', 2), first.streamSequence);
      const again = await store.append('counters.a', commit, 0);
      expect(first.duplicate).toBe(false);
      expect(again).toEqual({ streamSequence: first.streamSequence, duplicate: true });
      expect(await store.load('counters.a')).toHaveLength(2);
    });

    it('refuses loudly a commit id that another aggregate used', async () => {
      await store.append('counters.a', counterCommit('a', 1, { id: 'same' }), 0);
      await expect(store.append('counters.b', counterCommit('b', 1, { id: 'same' }), 0)).rejects.toMatchObject({
        code: 'STORE.COMMIT_ID_REUSED',
      });
    });

    it('lets exactly one of many writers win', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, writer) =>
          store.append('counters.a', counterCommit('a', 1, { id: `writer-${writer}` }), 0),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect(await store.load('counters.a')).toHaveLength(1);
    });

    it('follows from a sequence: what is stored, then what comes, in order', async () => {
      let last = 0;
      for (let version = 1; version <= 5; version += 1) {
        last = (await store.append('counters.a', counterCommit('a', version), last)).streamSequence;
      }
      const stop = new AbortController();
      const seen: StoredCommit<CounterEvent>[] = [];
      let seenAtCatchUp = -1;
      let caughtUp = 0;
      const arrived = expectation(() => seen.length >= 6);
      const caught = expectation(() => caughtUp > 0);
      const following = store.follow({
        fromSequence: 3,
        onCommit: async (stored) => {
          await Promise.resolve();
          seen.push(stored);
          arrived.check();
        },
        onCaughtUp: () => {
          seenAtCatchUp = seen.length;
          caughtUp += 1;
          caught.check();
        },
        signal: stop.signal,
      });
      await caught.met;
      expect(seenAtCatchUp).toBe(3);
      for (let version = 6; version <= 8; version += 1) {
        last = (await store.append('counters.a', counterCommit('a', version), last)).streamSequence;
      }
      await arrived.met;
      stop.abort();
      await following;
      expect(seen.map((stored) => stored.commit.version)).toEqual([3, 4, 5, 6, 7, 8]);
      expect(seen.at(-1)).toMatchObject({ subject: 'counters.a', streamSequence: last });
      expect(caughtUp).toBe(1);
    });

    it('follows only what the filter lets through, and is caught up at once on an empty stream', async () => {
      const stop = new AbortController();
      const seen: string[] = [];
      const caught = expectation(() => true);
      const arrived = expectation(() => seen.length >= 2);
      const following = store.follow({
        fromSequence: 1,
        filter: 'counters.b',
        onCommit: (stored) => {
          seen.push(stored.commit.id);
          arrived.check();
        },
        onCaughtUp: () => caught.check(),
        signal: stop.signal,
      });
      await caught.met;
      const { streamSequence } = await store.append('counters.b', counterCommit('b', 1), 0);
      await store.append('counters.a', counterCommit('a', 1), 0);
      await store.append('counters.b', counterCommit('b', 2), streamSequence);
      await arrived.met;
      stop.abort();
      await following;
      expect(seen).toEqual(['b-1', 'b-2']);
    });

    it('passes on what the reader throws', async () => {
      await store.append('counters.a', counterCommit('a', 1), 0);
      const following = store.follow({
        fromSequence: 1,
        onCommit: () => {
          throw new Error('cannot apply');
        },
        signal: new AbortController().signal,
      });
      await expect(following).rejects.toThrow('cannot apply');
    });
  });
}

/** A promise that resolves at the first `check` for which the condition holds. */
function expectation(condition: () => boolean): { met: Promise<void>; check(): void } {
  let resolve: () => void = () => undefined;
  const met = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    met,
    check: () => {
      if (condition()) resolve();
    },
  };
}
