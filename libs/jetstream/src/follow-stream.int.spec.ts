import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { followStream, type FollowStreamOptions } from './follow-stream.js';
import { pause } from './pause.js';
import { publishJson } from './publisher.js';
import { ensureStream, manager, removedFrom, waitForStream } from './stream-admin.js';
import type { StreamMessage } from './stream-message.js';
import { counters } from './testing/counter-stream.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const beats: StreamDefinition = {
  ...counters,
  name: 'BEATS',
  subjects: ['beats.*'],
  storage: 'memory',
  maxMessagesPerSubject: 1,
  discard: 'old',
};

describe('followStream', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let stop: AbortController;
  let following: Promise<void>;
  let seen: number[];

  const follow = (stream: string, options: Partial<FollowStreamOptions> = {}): void => {
    following = followStream(nc, stream, {
      fromSequence: 1,
      onMessage: (message) => void seen.push((message.json() as { n: number }).n),
      signal: stop.signal,
      ...options,
    });
  };
  const publish = async (from: number, to: number): Promise<void> => {
    const numbers = Array.from({ length: to - from }, (_, index) => from + index);
    for (let at = 0; at < numbers.length; at += 200) {
      await Promise.all(numbers.slice(at, at + 200).map((n) => publishJson(nc, 'counters.a', { n })));
    }
  };

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'follower' });
    stop = new AbortController();
    following = Promise.resolve();
    seen = [];
  });

  afterEach(async () => {
    stop.abort();
    await following;
    await nc.close();
    await server.stop();
  });

  it('hands over headers alone when nobody wants the bodies', async () => {
    await ensureStream(nc, counters);
    await publish(0, 3);
    const sizes: unknown[] = [];
    const onMessage: FollowStreamOptions['onMessage'] = ({ bytes, headers, streamSequence }) =>
      void sizes.push([streamSequence, bytes.length, headers?.get('Nats-Msg-Size'), headers?.has('Nats-Msg-Id')]);
    follow(counters.name, { headersOnly: true, onMessage });
    await eventually(() => expect(sizes).toEqual([1, 2, 3].map((sequence) => [sequence, 0, '7', true])));
  });

  it('waits for a stream that does not exist yet', async () => {
    let caughtUp = 0;
    follow(counters.name, { onCaughtUp: () => void (caughtUp += 1) });
    await ensureStream(nc, counters);
    await publish(0, 3);
    await eventually(() => expect(seen).toEqual([0, 1, 2]));
    expect(caughtUp).toBe(1);
  });

  it('reads many messages in order, once each, while the broker is killed in between', async () => {
    await ensureStream(nc, counters);
    await publish(0, 3_000);
    follow(counters.name);
    await eventually(() => expect(seen.length).toBeGreaterThan(500));
    await server.restart();
    const more = publish(3_000, 6_000);
    await eventually(() => expect(seen.length).toBeGreaterThan(3_500), { timeoutMs: 30_000 });
    await server.restart();
    await more;
    await eventually(() => expect(seen.length).toBeGreaterThanOrEqual(6_000), { timeoutMs: 30_000 });
    // Sent side by side, so the numbers may be stored out of order; but each exactly once.
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 6_000 }, (_, n) => n));
  });

  it('is live again within seconds of a restart', async () => {
    await ensureStream(nc, counters);
    await publish(0, 1);
    follow(counters.name);
    await eventually(() => expect(seen).toEqual([0]));
    await server.restart();
    const begun = performance.now();
    await publish(1, 2);
    await eventually(() => expect(seen).toEqual([0, 1]));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('goes on when its reader in the broker is gone after messages and pulls had piled up here', async () => {
    await ensureStream(nc, counters);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const onMessage = async (message: StreamMessage): Promise<void> => {
      await held;
      seen.push((message.json() as { n: number }).n);
    };
    follow(counters.name, { prefetch: 4, onMessage });
    await publish(0, 10);
    const jsm = await manager(nc);
    const reader = async () => (await jsm.consumers.list(counters.name).next())[0];
    await eventually(async () => expect((await reader())?.delivered.consumer_seq).toBeGreaterThan(3));
    await pause(200);
    // As after a freeze of a minute: nobody hears of it, and the next pulls go nowhere.
    await jsm.consumers.delete(counters.name, (await reader())?.name ?? '');
    release();
    await publish(10, 12);
    await eventually(() => expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => n)), { timeoutMs: 20_000 });
  });

  it('reads nothing again when a broker whose stream was changed is started once more, which makes the stream look younger', async () => {
    await ensureStream(nc, counters);
    await server.restart();
    await publish(0, 3);
    const jsm = await manager(nc);
    const { created, config } = await jsm.streams.info(counters.name);
    follow(counters.name);
    await eventually(() => expect(seen).toEqual([0, 1, 2]));
    await jsm.streams.update(counters.name, { ...config, max_bytes: 10_000_000 });
    await server.restart();
    await publish(3, 4);
    await eventually(() => expect(seen.at(-1)).toBe(3));
    expect(seen).toEqual([0, 1, 2, 3]);
    // Otherwise this broker is not one that the test is about.
    expect((await jsm.streams.info(counters.name)).created).not.toEqual(created);
  });

  it('says before which message some have left the stream unread, and who they were', async () => {
    await ensureStream(nc, counters);
    await publish(0, 9);
    const jsm = await manager(nc);
    for (const sequence of [1, 2]) await jsm.streams.deleteMessage(counters.name, sequence);
    const told: string[] = [];
    const reading = {
      onMessage: (message: StreamMessage) => void told.push(String(message.streamSequence)),
      onGap: () => void told.push('gap'),
    };
    // Nothing is missed by who knows nothing yet.
    follow(counters.name, reading);
    await eventually(() => expect(told).toEqual(['3', '4', '5', '6', '7', '8', '9']));
    for (const sequence of [4, 6, 7]) await jsm.streams.deleteMessage(counters.name, sequence);
    told.length = 0;
    follow(counters.name, { ...reading, fromSequence: 4 });
    await eventually(() => expect(told).toEqual(['gap', '5', 'gap', '8', '9']));
    const isRemoved = await removedFrom(nc, counters.name);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].filter(isRemoved)).toEqual([1, 2, 4, 6, 7]);
  });

  it('starts over on a stream that was made anew and is longer already, and says so before and after', async () => {
    await ensureStream(nc, counters);
    await publish(0, 2);
    const told: string[] = [];
    follow(counters.name, {
      onMessage: (message) => void told.push(String((message.json() as { n: number }).n)),
      onStartOver: () => void told.push('start over'),
      onCaughtUp: () => void told.push('end'),
    });
    await eventually(() => expect(told).toEqual(['0', '1', 'end']));
    const jsm = await manager(nc);
    const { config } = await jsm.streams.info(counters.name);
    await jsm.streams.delete(counters.name);
    await jsm.streams.add(config);
    await publish(7, 10);
    await server.restart();
    await eventually(() => expect(told).toEqual(['0', '1', 'end', 'start over', '7', '8', '9', 'end']));
  });

  it('starts over on a memory stream that was lost with the broker and made anew by its owner', async () => {
    await ensureStream(nc, beats);
    for (const n of [1, 2, 3]) await publishJson(nc, 'beats.a', { n });
    follow(beats.name);
    await eventually(() => expect(seen.at(-1)).toBe(3));
    await server.restart();
    await publishJson(nc, 'beats.a', { n: 4 });
    await eventually(() => expect(seen.at(-1)).toBe(4));
    await waitForStream(nc, beats.name);
    expect((await (await manager(nc)).streams.info(beats.name)).state.last_seq).toBe(1);
  });

  it('reaches the end even when messages that it counted are replaced meanwhile', async () => {
    await ensureStream(nc, beats);
    for (let worker = 0; worker < 50; worker += 1) await publishJson(nc, `beats.w${worker}`, { n: 0 });
    let caughtUp = false;
    follow(beats.name, {
      prefetch: 5,
      onMessage: async (message) => {
        const { n } = message.json() as { n: number };
        seen.push(n);
        if (n === 0 && seen.length < 20) await publishJson(nc, message.subject, { n: 1 });
      },
      onCaughtUp: () => {
        caughtUp = true;
      },
    });
    await eventually(() => expect(caughtUp).toBe(true));
  });

  it('keeps up with a slow reader without holding the stream in memory, and stops at once when told', async () => {
    await ensureStream(nc, counters);
    await publish(0, 400);
    let last = -1;
    follow(counters.name, {
      prefetch: 10,
      onMessage: async (message) => {
        await new Promise((resolve) => setTimeout(resolve, last < 3 ? 1_200 : 0));
        const { n } = message.json() as { n: number };
        last = n;
        seen.push(n);
      },
    });
    await eventually(() => expect(seen.length).toBe(400), { timeoutMs: 30_000 });
    expect(new Set(seen).size).toBe(400);
    stop.abort();
    await following;
  });

  it('continues from a sequence with a filter', async () => {
    await ensureStream(nc, counters);
    for (let n = 0; n < 10; n += 1) await publishJson(nc, n % 2 === 0 ? 'counters.even' : 'counters.odd', { n });
    follow(counters.name, { fromSequence: 4, filter: 'counters.odd' });
    await eventually(() => expect(seen).toEqual([3, 5, 7, 9]));
  });
});
