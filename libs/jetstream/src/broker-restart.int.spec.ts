import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { CommandHandler, type CommandOrigin } from '@gantry/event-sourcing/command-handler';
import { type CounterEvent, counterCommit } from '@gantry/event-sourcing/testing/commit-builder';
import { counterDecider } from '@gantry/event-sourcing/testing/counter-decider';
import { systemClock } from '@gantry/kernel/clock';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { ensureStream } from './stream-admin.js';
import { counters } from './testing/counter-stream.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const origin = (commandId: string): CommandOrigin => ({
  commandId,
  actor: { kind: 'service', id: 'test' },
  correlationId: commandId,
  causationId: commandId,
});

describe('event store through kill -9 of the broker', () => {
  let server: NatsServerFixture;
  let connections: NatsConnection[];

  const connect = async (): Promise<NatsConnection> => {
    const nc = await connectNats({ url: server.url, name: 'process' });
    connections.push(nc);
    return nc;
  };

  beforeEach(async () => {
    server = await startNatsServer();
    connections = [];
    await ensureStream(await connect(), counters);
  });

  afterEach(async () => {
    await Promise.all(connections.map((nc) => nc.close()));
    await server.stop();
  });

  it('appends each commit exactly once and a follower sees each exactly once', async () => {
    const store = new JetStreamEventStore<CounterEvent>(await connect(), counters);
    const stop = new AbortController();
    const followed: StoredCommit<CounterEvent>[] = [];
    const follower = new JetStreamEventStore<CounterEvent>(await connect(), counters);
    const following = follower.follow({
      fromSequence: 1,
      onCommit: (stored) => void followed.push(stored),
      signal: stop.signal,
    });

    const aggregates = 20;
    const versions = 40;
    let appended = 0;
    const writers = Array.from({ length: aggregates }, async (_, aggregate) => {
      let last = 0;
      for (let version = 1; version <= versions; version += 1) {
        last = (await store.append(`counters.${aggregate}`, counterCommit(String(aggregate), version), last))
          .streamSequence;
        appended += 1;
      }
    });
    for (const part of [0.25, 0.5, 0.75]) {
      await eventually(() => expect(appended).toBeGreaterThan(aggregates * versions * part), {
        timeoutMs: 30_000,
        intervalMs: 2,
      });
      await server.restart();
    }
    await Promise.all(writers);
    await eventually(() => expect(followed).toHaveLength(aggregates * versions), { timeoutMs: 30_000 });
    stop.abort();
    await following;

    expect(new Set(followed.map((stored) => stored.streamSequence)).size).toBe(aggregates * versions);
    for (let aggregate = 0; aggregate < aggregates; aggregate += 1) {
      const expected = Array.from({ length: versions }, (_, index) => index + 1);
      const loaded = await store.load(`counters.${aggregate}`);
      expect(loaded.map((stored) => stored.commit.version)).toEqual(expected);
      expect(
        followed
          .filter((stored) => stored.commit.aggregateId === String(aggregate))
          .map((stored) => stored.commit.version),
      ).toEqual(expected);
    }
  });

  it('two processes on one aggregate never lose or double an event, with every command sent twice', async () => {
    const process = async () => {
      const store = new JetStreamEventStore<CounterEvent>(await connect(), counters);
      return new CommandHandler({
        streamName: counters.name,
        schemaVersion: 1,
        decider: counterDecider,
        store,
        clock: systemClock,
        subjectOf: (id) => `counters.${id}`,
        maxRetries: 1_000,
      });
    };
    const handlers = [await process(), await process()];
    const commands = 60;
    const work = Array.from({ length: commands }, async (_, index) => {
      const handler = handlers[index % 2];
      const command = { type: 'Add' as const, amount: 1 };
      await handler?.handle('shared', command, origin(`command-${index}`));
      await handlers[(index + 1) % 2]?.handle('shared', command, origin(`command-${index}`));
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.restart();
    await Promise.all(work);

    const reader = await process();
    expect(await reader.load('shared')).toMatchObject({ version: commands, state: { total: commands } });
    const store = new JetStreamEventStore<CounterEvent>(await connect(), counters);
    const ids = (await store.load('counters.shared')).map((stored) => stored.commit.id);
    expect([...ids].sort()).toEqual(Array.from({ length: commands }, (_, index) => `command-${index}`).sort());
  });
});
