import { logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogChunkPublisher, type OutgoingChunk } from './log-chunk.publisher.js';

const of = { taskId: 'task', attempt: 1, workerId: 'w' };

describe('chunks of a log', () => {
  let nats: NatsServerFixture;
  let nc: NatsConnection;
  const over = new AbortController();
  let told: number[];

  beforeEach(async () => {
    told = [];
    nats = await startNatsServer();
    nc = await connectNats({ url: nats.url, name: 'test' });
    await ensureStream(nc, streams.logs);
  });

  afterEach(async () => {
    await nc.close();
    await nats.stop();
  });

  const chunk = (seq: number, text = 'x'): OutgoingChunk => ({
    firstSeq: seq,
    lastSeq: seq,
    end: false,
    payload: Buffer.from(JSON.stringify({ ...of, end: false, lines: [{ seq, n: seq, stream: 'stdout', t: 1, text }] })),
    onStored: () => told.push(seq),
  });

  async function storedSeqs(): Promise<number[]> {
    const found: number[] = [];
    const jsm = await manager(nc);
    const { state } = await jsm.streams.info(streams.logs.name);
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await jsm.streams.getMessage(streams.logs.name, { seq });
      found.push(...logChunkSchema.parse(message?.json()).lines.map((line) => line.seq));
    }
    return found;
  }

  it('are all stored when the task began while the broker was away', async () => {
    const state = ConnectionState.of(nc);
    const back = nats.restart();
    await eventually(() => expect(state.connected).toBe(false));
    const publisher = new LogChunkPublisher(nc, of, over.signal);
    await publisher.send(chunk(1));
    await back;
    await eventually(() => expect(state.connected).toBe(true));
    await publisher.send(chunk(2));
    await publisher.drain();
    publisher.close();
    expect(await storedSeqs()).toEqual([1, 2]);
    expect(told).toEqual([1, 2]);
  });

  it('are all stored when the broker refused one and took the next, and none is told as stored before those ahead of it', async () => {
    const jsm = await manager(nc);
    await jsm.streams.update(streams.logs.name, { max_msg_size: 512 });
    const publisher = new LogChunkPublisher(nc, of, over.signal);
    await publisher.send(chunk(1));
    await publisher.send(chunk(2, 'x'.repeat(1_000)));
    await publisher.send(chunk(3));
    await eventually(async () => expect(await storedSeqs()).toEqual([1, 3]));
    await eventually(() => expect(told).toEqual([1]));
    await jsm.streams.update(streams.logs.name, { max_msg_size: -1 });
    await publisher.drain();
    publisher.close();
    expect(await storedSeqs()).toEqual([1, 3, 2]);
    expect(told).toEqual([1, 2, 3]);
    const message = await jsm.streams.getMessage(streams.logs.name, { last_by_subj: subjects.logs('w', 'task') });
    expect(message?.seq).toBe(3);
  });
});
