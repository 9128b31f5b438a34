import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from './connect.js';
import { publishJson } from './publisher.js';
import { ensureStream, manager } from './stream-admin.js';
import { StreamBarrier } from './stream-barrier.js';
import { counters } from './testing/counter-stream.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

let server: NatsServerFixture;
let nc: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connectNats({ url: server.url, name: 'test' });
});

afterAll(async () => {
  await nc.close();
  await server.stop();
});

describe('StreamBarrier', () => {
  let barrier: StreamBarrier;
  const store = async (count: number) => {
    for (let index = 0; index < count; index += 1) await publishJson(nc, 'counters.a', {});
  };
  const outcomeWithin = (milliseconds: number, work: Promise<void>) =>
    Promise.race([work.then(() => 'reached'), new Promise((resolve) => setTimeout(resolve, milliseconds, 'waiting'))]);

  beforeEach(async () => {
    await ensureStream(nc, counters);
    await (await manager(nc)).streams.purge(counters.name);
    barrier = new StreamBarrier(nc, counters.name);
    const { state } = await (await manager(nc)).streams.info(counters.name);
    barrier.advance(state.last_seq);
  });

  const last = async () => (await (await manager(nc)).streams.info(counters.name)).state.last_seq;

  it('waits for what the stream held at the call, and for no more', async () => {
    await barrier.reach();
    await store(2);
    const newest = await last();
    const reached = barrier.reach();
    expect(await outcomeWithin(100, reached)).toBe('waiting');
    await store(1);
    barrier.advance(newest - 1);
    expect(await outcomeWithin(50, reached)).toBe('waiting');
    barrier.advance(newest);
    await reached;
    expect(await outcomeWithin(100, barrier.reach())).toBe('waiting');
  });

  it('does not wait for own writes, unless one of others lies before them', async () => {
    await store(3);
    const newest = await last();
    barrier.wrote(newest);
    barrier.wrote(newest - 1);
    const reached = barrier.reach();
    expect(await outcomeWithin(100, reached)).toBe('waiting');
    barrier.advance(newest - 2);
    await reached;
  });

  it('never answers from a question that was sent before the call', async () => {
    const first = barrier.reach();
    await store(1);
    const second = barrier.reach();
    // The first may or may not have seen the message: the broker answers questions beside storing.
    expect(await outcomeWithin(100, second)).toBe('waiting');
    barrier.advance(await last());
    await Promise.all([first, second]);
  });

  it('does not wait for a message that was deleted', async () => {
    await store(1);
    await (await manager(nc)).streams.deleteMessage(counters.name, await last());
    await barrier.reach();
    // It is known by now: nobody finds it out a second time.
    expect(await outcomeWithin(150, barrier.reach())).toBe('reached');
  });
});
