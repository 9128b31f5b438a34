import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import type { StreamPosition } from '@gantry/event-sourcing/snapshot-store.port';
import { createLogger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { SnapshotKeeper, type SnapshotPolicy } from './snapshot-keeper.js';
import { KvSnapshotStore } from './snapshot-store.js';
import { ensureStream, manager } from './stream-admin.js';
import { counters } from './testing/counter-stream.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });
const frequent: Partial<SnapshotPolicy> = { everyCommits: 10, checkMs: 5, atStopFromCommits: 5 };

describe('SnapshotKeeper', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let snapshots: KvSnapshotStore;
  let store: JetStreamEventStore<CounterEvent>;
  let appended = 0;
  let name = 0;

  beforeAll(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'keeper' });
    snapshots = new KvSnapshotStore(nc, 'scheduler');
    store = new JetStreamEventStore<CounterEvent>(nc, counters);
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  beforeEach(async () => {
    name += 1;
    await (await manager(nc)).streams.delete(counters.name).catch(() => undefined);
    await ensureStream(nc, counters);
  });

  const append = async (): Promise<StreamPosition> => {
    appended += 1;
    const id = `n${appended}`;
    const commit = counterCommit(id, 1, { events: [{ type: 'Added', data: { amount: 1 } }] });
    const { streamSequence } = await store.append(`counters.${id}`, commit, 0);
    return { sequence: streamSequence, commitId: commit.id };
  };

  /** A service whose state is the list of sequences that it has read. */
  const service = (policy: Partial<SnapshotPolicy> = {}, version = 1) => {
    const state: number[] = [];
    let position: StreamPosition = { sequence: 0, commitId: '' };
    const keeper = new SnapshotKeeper({
      nc,
      store: snapshots,
      name: `keeper-${name}`,
      version,
      logger,
      policy,
      capture: () => ({
        positions: { [counters.name]: position },
        entries: state.map((sequence) => ({ key: '', numbers: [sequence], shared: [], texts: [] })),
      }),
    });
    return {
      state,
      keeper,
      read: (next: StreamPosition) => {
        position = next;
        state.push(next.sequence);
        keeper.count();
      },
      restore: () =>
        keeper.restore((page) => {
          for (let row = 0; row < page.size; row += 1) state.push(page.number(0, row));
        }),
    };
  };

  const readMany = async (reader: ReturnType<typeof service>, count: number): Promise<StreamPosition> => {
    let last = await append();
    reader.read(last);
    for (let index = 1; index < count; index += 1) reader.read((last = await append()));
    return last;
  };

  it('saves at a clean stop what the next start takes in, with the place from which to read on', async () => {
    const first = service(frequent);
    expect(await first.restore()).toBeUndefined();
    const last = await readMany(first, 6);
    await first.keeper.stop();
    await append();
    const second = service();
    expect(await second.restore()).toEqual({ [counters.name]: last });
    expect(second.state).toEqual(first.state);
  });

  it('saves none at a stop after which reading again is faster', async () => {
    const first = service(frequent);
    await readMany(first, 4);
    await first.keeper.stop();
    expect(await service().restore()).toBeUndefined();
  });

  it('saves one whenever enough has happened', async () => {
    const first = service(frequent);
    first.keeper.start();
    const last = await readMany(first, 10);
    await eventually(async () =>
      expect((await snapshots.positions(`keeper-${name}`, 1))?.[counters.name]).toEqual(last),
    );
    const later = await readMany(first, 10);
    await eventually(async () =>
      expect((await snapshots.positions(`keeper-${name}`, 1))?.[counters.name]).toEqual(later),
    );
    await first.keeper.stop();
  });

  it('leaves the work to the replica that has just done it', async () => {
    const first = service(frequent);
    const second = service({ ...frequent, atStopFromCommits: 1 });
    const last = await readMany(first, 6);
    await first.keeper.stop();
    for (const sequence of first.state) second.read({ sequence, commitId: last.commitId });
    const newer = await append();
    second.read(newer);
    await second.keeper.stop();
    expect((await snapshots.positions(`keeper-${name}`, 1))?.[counters.name]).toEqual(last);
  });

  it('takes in nothing of another form', async () => {
    const first = service(frequent);
    await readMany(first, 6);
    await first.keeper.stop();
    const second = service({}, 2);
    expect(await second.restore()).toBeUndefined();
    expect(second.state).toEqual([]);
  });

  it('takes in nothing that is ahead of its stream, and nothing of another past', async () => {
    const first = service(frequent);
    await readMany(first, 6);
    await first.keeper.stop();
    const jsm = await manager(nc);
    await jsm.streams.delete(counters.name);
    await ensureStream(nc, counters);
    for (let index = 0; index < 5; index += 1) await append();
    const ahead = service();
    expect(await ahead.restore()).toBeUndefined();

    const second = service(frequent);
    await readMany(second, 6);
    await second.keeper.stop();
    await jsm.streams.delete(counters.name);
    await ensureStream(nc, counters);
    for (let index = 0; index < 20; index += 1) await append();
    const otherPast = service();
    expect(await otherPast.restore()).toBeUndefined();
    expect(otherPast.state).toEqual([]);
  });

  it('still belongs to its stream when the commit at its place has aged out', async () => {
    const first = service(frequent);
    const last = await readMany(first, 6);
    await first.keeper.stop();
    const next = await append();
    await (await manager(nc)).streams.purge(counters.name, { seq: next.sequence });
    expect(await service().restore()).toEqual({ [counters.name]: last });
  });

  it('still belongs to its stream when the commit at its place was archived, with others around it still there', async () => {
    const older = await append();
    const first = service(frequent);
    const last = await readMany(first, 6);
    await first.keeper.stop();
    await append();
    await (await manager(nc)).streams.deleteMessage(counters.name, last.sequence);
    expect((await (await manager(nc)).streams.info(counters.name)).state.first_seq).toBe(older.sequence);
    expect(await service().restore()).toEqual({ [counters.name]: last });
  });

  it('is removed when it cannot be taken in, so that the next start reads everything', async () => {
    const first = service(frequent);
    await readMany(first, 6);
    await first.keeper.stop();
    const broken = service();
    const taking = broken.keeper.restore(() => {
      throw new Error('does not fit');
    });
    await expect(taking).rejects.toMatchObject({ code: 'SNAPSHOT.UNUSABLE' });
    expect(await service().restore()).toBeUndefined();
  });
});
