import { JetStreamApiError } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AckInbox } from './ack-inbox.js';
import { connectNats } from './connect.js';
import { ensureStream } from './stream-admin.js';
import { counters } from './testing/counter-stream.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const bytes = new TextEncoder().encode('{}');

describe('AckInbox', () => {
  let nats: NatsServerFixture;
  let nc: NatsConnection;

  beforeAll(async () => {
    nats = await startNatsServer();
    nc = await connectNats({ url: nats.url, name: 'test' });
    await ensureStream(nc, counters);
  });
  afterAll(async () => {
    await nc.close();
    await nats.stop();
  });

  const publish = (subject: string, fields: Record<string, string>, timeoutMs = 5_000) => {
    const sent = headers();
    for (const [name, value] of Object.entries(fields)) sent.set(name, value);
    return AckInbox.of(nc).publish(subject, bytes, sent, timeoutMs);
  };

  it('gives each of many messages on the way its own acknowledgement', async () => {
    const acks = await Promise.all(
      Array.from({ length: 500 }, (_, index) => publish(`counters.many-${index}`, { 'Nats-Msg-Id': `many-${index}` })),
    );
    expect(new Set(acks.map(({ seq }) => seq)).size).toBe(500);
    expect(acks.every(({ duplicate }) => !duplicate)).toBe(true);
    const repeated = await publish('counters.many-7', { 'Nats-Msg-Id': 'many-7' });
    expect(repeated).toEqual({ seq: acks[7]?.seq, duplicate: true });
  });

  it('passes the refusal of a lost race on', async () => {
    await publish('counters.race', { 'Nats-Expected-Last-Subject-Sequence': '0' });
    const late = publish('counters.race', { 'Nats-Expected-Last-Subject-Sequence': '0' });
    await expect(late).rejects.toBeInstanceOf(JetStreamApiError);
    await expect(late).rejects.toMatchObject({ code: 10_071 });
  });

  it('says at once that no stream takes the message', async () => {
    await expect(publish('nobody.listens', {})).rejects.toThrow('No stream takes messages on nobody.listens.');
  });

  it('gives up when nobody acknowledges in time', async () => {
    nc.subscribe('silent.subject', { callback: () => undefined });
    await expect(publish('silent.subject', {}, 300)).rejects.toThrow(/silent\.subject in time/);
  });

  it('rejects what is on the way when the connection breaks, without waiting for its time', async () => {
    nc.subscribe('silent.subject', { callback: () => undefined });
    const waiting = publish('silent.subject', {}, 60_000);
    const settled = expect(waiting).rejects.toThrow('The connection to the broker was lost.');
    await nc.flush();
    await nats.restart();
    await settled;
  });
});
