import { randomBytes } from 'node:crypto';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
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
import { ensureStream, manager } from './stream-admin.js';
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

  const at = (sequence: number) => ({ COUNTERS: { sequence, commitId: `c${sequence}` } });
  const of = (...values: unknown[]): SnapshotEntry => ({
    key: '',
    numbers: [],
    shared: [],
    texts: [JSON.stringify(values)],
  });
  const firstOf = (entry: SnapshotEntry | undefined): unknown =>
    entry && (JSON.parse(entry.texts[0] ?? '') as unknown[])[0];
  const loaded = async (name: string, version = 1) => {
    const snapshot = await snapshots.load(name, version);
    if (snapshot === undefined) return undefined;
    const entries: SnapshotEntry[] = [];
    for await (const page of snapshot.pages())
      for (let row = 0; row < page.size; row += 1) entries.push(page.entry(row));
    return { positions: snapshot.positions, entries };
  };

  it('has nothing under a new name', async () => {
    expect(await snapshots.load('new', 1)).toBeUndefined();
    expect(await snapshots.positions('new', 1)).toBeUndefined();
  });

  it('gives back what was saved in its order, in many chunks and pieces, and leaves nothing of what it replaced', async () => {
    const entries = [
      of({ text: 'žluťoučký 🐴' }, null, 'line\nbreak'),
      ...Array.from({ length: 6_000 }, (_, index) => ({
        key: `ř${index}`,
        numbers: [index, NaN, -0.5],
        shared: [{ color: ['red', 'green'][index % 2] }, { noise: randomBytes(10).toString('hex') }],
        texts: [`${'žluťoučký 🐴\n'.repeat(index % 3)}${randomBytes(200).toString('hex')}`, ''],
      })),
      of({ large: randomBytes(1_500_000).toString('hex') }),
    ];
    const saved = await snapshots.save('big', 1, { positions: at(10), entries });
    expect(saved?.entries).toBe(entries.length);
    expect(await loaded('big')).toEqual({ positions: at(10), entries });
    expect((await keysOf('big')).length).toBeGreaterThan(4);
    await snapshots.save('big', 1, { positions: at(11), entries: [of('small')] });
    expect(await loaded('big')).toEqual({ positions: at(11), entries: [of('small')] });
    expect(await snapshots.positions('big', 1)).toEqual(at(11));
    expect(await keysOf('big')).toHaveLength(2);
    const { state } = await (
      await manager(nc)
    ).streams.info('KV_scheduler', { subjects_filter: '$KV.*.snapshot.big.>' });
    expect(Object.keys(state.subjects ?? {})).toHaveLength(2);
  });

  it('stores what entries share once for many of them, and gives them one object back', async () => {
    const colors = ['red', 'green', 'blue'].map((color) => ({ color, lengthy: color.repeat(300) }));
    const entries = Array.from({ length: 3_000 }, (_, index) => ({
      key: '',
      numbers: [index],
      // Equal ones count as one, whichever object they are.
      shared: [index % 2 === 0 ? colors[index % 3]! : { ...colors[index % 3]! }],
      texts: [],
    }));
    const saved = await snapshots.save('shared', 1, { positions: at(1), entries });
    expect(saved?.bytes).toBeLessThan(20_000);
    const found = (await loaded('shared'))?.entries;
    expect(found).toEqual(entries);
    expect(new Set(found?.map(({ shared }) => shared[0])).size).toBe(colors.length);
  });

  it('lets the process go on while many entries are written', async () => {
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    let longestWithoutTurn = 0;
    const entries = function* () {
      let seen = turns;
      let since = process.cpuUsage().user;
      for (let index = 0; index < 50_000; index += 1) {
        if (turns !== seen) {
          seen = turns;
          since = process.cpuUsage().user;
        }
        longestWithoutTurn = Math.max(longestWithoutTurn, process.cpuUsage().user - since);
        yield of({ index, text: 'x'.repeat(600) });
      }
    };
    await snapshots.save('long', 1, { positions: at(1), entries: entries() });
    clearInterval(ticking);
    // Microseconds of work; all entries together take several times as long.
    expect(longestWithoutTurn).toBeLessThan(50_000);
    expect(turns).toBeGreaterThan(5);
  });

  it('ignores one of another form, and replaces it', async () => {
    await snapshots.save('form', 1, { positions: at(20), entries: [of(1)] });
    expect(await loaded('form', 2)).toBeUndefined();
    expect(await snapshots.positions('form', 2)).toBeUndefined();
    await snapshots.save('form', 2, { positions: at(5), entries: [of(2)] });
    expect(await loaded('form', 2)).toEqual({ positions: at(5), entries: [of(2)] });
    expect(await loaded('form', 1)).toBeUndefined();
  });

  it('lets one of many writers win whole', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, writer) =>
        snapshots.save('race', 1, { positions: at(100 + writer), entries: [of(writer), of(writer)] }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome !== undefined).length).toBeGreaterThan(0);
    const winner = await loaded('race');
    const writer = firstOf(winner?.entries[0]) as number;
    expect(winner).toEqual({ positions: at(100 + writer), entries: [of(writer), of(writer)] });
    expect(await keysOf('race')).toHaveLength(2);
  });

  it('keeps the earlier one, and nothing of itself, when it is stopped on its way', async () => {
    await snapshots.save('stopped', 1, { positions: at(1), entries: [of('earlier')] });
    const stop = new AbortController();
    const entries = function* () {
      for (let index = 0; index < 20_000; index += 1) {
        if (index === 10_000) stop.abort();
        yield of({ index, text: randomBytes(100).toString('hex') });
      }
    };
    expect(await snapshots.save('stopped', 1, { positions: at(2), entries: entries() }, stop.signal)).toBeUndefined();
    expect(await loaded('stopped')).toEqual({ positions: at(1), entries: [of('earlier')] });
    expect(await keysOf('stopped')).toHaveLength(2);
  });

  it('answers nothing instead of something damaged', async () => {
    await snapshots.save('damaged', 1, { positions: at(1), entries: [of({ fine: true })] });
    const chunk = (await keysOf('damaged')).find((key) => !key.endsWith('.head'));
    await (await openBucket(nc, 'scheduler')).put(chunk ?? '', 'garbage');
    expect(await snapshots.load('damaged', 1)).toBeUndefined();
    await (await openBucket(nc, 'scheduler')).delete(chunk ?? '');
    expect(await snapshots.load('damaged', 1)).toBeUndefined();
    await (await openBucket(nc, 'scheduler')).put('snapshot.damaged.head', '{"version":1}');
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
          await snapshots.save(id, 1, { positions: at(takenAt), entries: [of(taken)] });

          const stop = new AbortController();
          const start = await loaded(id);
          let state = firstOf(start?.entries[0]) as CounterState;
          await store.follow({
            fromSequence: (start?.positions['COUNTERS']?.sequence ?? 0) + 1,
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
