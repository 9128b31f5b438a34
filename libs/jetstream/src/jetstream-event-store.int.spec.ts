import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import { storeContractSuite } from '@gantry/event-sourcing/testing/store-contract.suite';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { publishBytes, publishJson } from './publisher.js';
import { ensureStream, manager } from './stream-admin.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';
import { counters } from './testing/counter-stream.js';

let server: NatsServerFixture;

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(() => server.stop());

const definition: StreamDefinition = counters;

storeContractSuite('JetStream', async () => {
  const nc = await connectNats({ url: server.url, name: 'contract' });
  await ensureStream(nc, definition);
  return {
    store: new JetStreamEventStore<CounterEvent>(nc, definition),
    close: async () => {
      await (await manager(nc)).streams.delete(definition.name);
      await nc.close();
    },
  };
});

describe('a history that holds what cannot be read', () => {
  let nc: NatsConnection;
  const subject = 'counters.a';

  beforeAll(async () => {
    nc = await connectNats({ url: server.url, name: 'test' });
    await ensureStream(nc, counters);
    const store = new JetStreamEventStore<CounterEvent>(nc, counters);
    await store.append(subject, counterCommit('a', 1), 0);
    await publishBytes(nc, subject, Buffer.from('not a commit'));
    await publishJson(nc, subject, { ...counterCommit('a', 2), events: [{ type: 'Added', data: { amount: 'many' } }] });
    await store.append('counters.b', counterCommit('b', 1), 0);
  });
  afterAll(() => nc.close());

  it('is refused with what to do, and no other', async () => {
    const store = new JetStreamEventStore<CounterEvent>(nc, counters);
    await expect(store.load(subject)).rejects.toMatchObject({ code: 'STORE.UNREADABLE_HISTORY', kind: 'conflict' });
    expect(await store.load('counters.b')).toHaveLength(1);
    expect(await store.newestSequence(subject)).toBe(3);
  });

  it('is read around it where commits stand for themselves, and the next append has its place', async () => {
    const loadOnly = { Added: z.object({ amount: z.number() }) };
    const store = new JetStreamEventStore<CounterEvent>(nc, counters, { loadOnly });
    const commits = await store.load(subject);
    expect(commits.map(({ commit, streamSequence }) => [streamSequence, commit.version, commit.events.length])).toEqual(
      [
        [1, 1, 1],
        [2, 1, 0],
        [3, 2, 0],
      ],
    );
    await store.append(subject, counterCommit('a', 3), commits.at(-1)!.streamSequence);
    expect((await store.load(subject)).map(({ commit }) => commit.version)).toEqual([1, 1, 2, 3]);
  });
});
