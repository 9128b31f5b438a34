import { randomBytes } from 'node:crypto';
import { fold } from '@gantry/event-sourcing/decider';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import { counterDecider, type CounterState } from '@gantry/event-sourcing/testing/counter-decider';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { openBucket } from './kv-lease.js';
import { KvSnapshotStore } from './snapshot-store.js';
import { ensureStream } from './stream-admin.js';
import { counters } from './testing/counter-stream.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

describe('KvSnapshotStore', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let snapshots: KvSnapshotStore;

  beforeAll(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'snapshots' });
    snapshots = new KvSnapshotStore(nc, 'scheduler');
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  const keysOf = async (name: string): Promise<string[]> => {
    const kv = await openBucket(nc, 'scheduler');
    const keys: string[] = [];
    for await (const key of await kv.keys(`snapshot.${name}.>`)) keys.push(key);
    return keys;
  };

  it('has nothing under a new name', async () => {
    expect(await snapshots.load('new', 1)).toBeUndefined();
  });

  it('gives back what was saved, also when it is larger than one message, and cleans up what it replaced', async () => {
    const state = { text: 'žluťoučký 🐴', noise: randomBytes(1_500_000).toString('hex') };
    await snapshots.save('big', 1, { sequence: 10, state });
    expect(await snapshots.load('big', 1)).toEqual({ sequence: 10, state });
    expect((await keysOf('big')).length).toBeGreaterThan(3);
    await snapshots.save('big', 1, { sequence: 11, state: { text: 'small' } });
    expect(await snapshots.load('big', 1)).toEqual({ sequence: 11, state: { text: 'small' } });
    expect(await keysOf('big')).toHaveLength(2);
  });

  it('keeps the newer of two, and ignores one of another form', async () => {
    await snapshots.save('order', 1, { sequence: 20, state: 'new' });
    await snapshots.save('order', 1, { sequence: 15, state: 'late' });
    expect(await snapshots.load('order', 1)).toEqual({ sequence: 20, state: 'new' });
    expect(await snapshots.load('order', 2)).toBeUndefined();
    await snapshots.save('order', 2, { sequence: 5, state: { form: 2 } });
    expect(await snapshots.load('order', 2)).toEqual({ sequence: 5, state: { form: 2 } });
  });

  it('lets one of many writers win whole', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, writer) => snapshots.save('race', 1, { sequence: 100, state: { writer } })),
    );
    const loaded = await snapshots.load<{ writer: number }>('race', 1);
    expect(loaded?.sequence).toBe(100);
    expect(loaded?.state.writer).toBeGreaterThanOrEqual(0);
    expect(await keysOf('race')).toHaveLength(2);
  });

  it('answers nothing instead of something damaged', async () => {
    await snapshots.save('damaged', 1, { sequence: 1, state: { fine: true } });
    const chunk = (await keysOf('damaged')).find((key) => !key.endsWith('.head'));
    await (await openBucket(nc, 'scheduler')).put(chunk ?? '', 'garbage');
    expect(await snapshots.load('damaged', 1)).toBeUndefined();
  });

  it('snapshot and tail give the same state as a full replay, wherever the snapshot was taken', async () => {
    await ensureStream(nc, counters);
    const store = new JetStreamEventStore<CounterEvent>(nc, counters);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 12 }),
        async (amounts, cut) => {
          run += 1;
          const id = `run-${run}`;
          let last = 0;
          let taken = counterDecider.initialState;
          let takenAt = 0;
          for (const [index, amount] of amounts.entries()) {
            const commit = counterCommit(id, index + 1, { events: [{ type: 'Added', data: { amount } }] });
            last = (await store.append(`counters.${id}`, commit, last)).streamSequence;
            if (index < cut) {
              taken = fold(counterDecider, taken, commit.events);
              takenAt = last;
            }
          }
          await snapshots.save(id, 1, { sequence: takenAt, state: taken });

          const stop = new AbortController();
          const start = await snapshots.load<CounterState>(id, 1);
          let state = start?.state ?? counterDecider.initialState;
          await store.follow({
            fromSequence: (start?.sequence ?? 0) + 1,
            filter: `counters.${id}`,
            onCommit: ({ commit }) => {
              state = fold(counterDecider, state, commit.events);
            },
            onCaughtUp: () => stop.abort(),
            signal: stop.signal,
          });
          const replayed = fold(
            counterDecider,
            counterDecider.initialState,
            (await store.load(`counters.${id}`)).flatMap(({ commit }) => commit.events),
          );
          expect(state).toEqual(replayed);
          expect(state.total).toBe(amounts.reduce((sum, amount) => sum + amount, 0));
        },
      ),
      { numRuns: 25 },
    );
  });
});
