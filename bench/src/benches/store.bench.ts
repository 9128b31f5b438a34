import { randomUUID } from 'node:crypto';
import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { startNatsServer } from '@gantry/testing/nats-server.fixture';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Bench, BenchContext } from '../harness/bench.port.js';
import { ratioOf, spreadOf } from '../harness/spread.js';

const CONCURRENCY = 256;
const store = (nc: NatsConnection) => new JetStreamEventStore(nc, streams.tasks);

function commitOf(id: string): Commit {
  const spec = { name: 'no-op', image: 'none', command: ['true'], env: {}, description: 'x'.repeat(300) };
  return {
    id: `submit:${id}`,
    stream: streams.tasks.name,
    aggregateId: id,
    version: 1,
    schemaVersion: 1,
    occurredAt: Date.now(),
    actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
    correlationId: 'bench',
    causationId: 'bench',
    events: [{ type: 'TaskSubmitted', data: { ownerId: 'bench', ownerName: 'Bench', spec, submittedAt: Date.now() } }],
  };
}

/** Calls a second, `CONCURRENCY` at a time. */
async function rateOf(count: number, call: (id: string) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await call(randomUUID());
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return count / ((performance.now() - startedAt) / 1_000);
}

function bareAppend(nc: NatsConnection, id: string): Promise<unknown> {
  const commit = commitOf(id);
  return jetstream(nc).publish(subjects.task(id), JSON.stringify(commit), {
    msgID: commit.id,
    expect: { lastSubjectSequence: 0 },
  });
}

async function ourReplay(nc: NatsConnection, count: number): Promise<number> {
  const startedAt = performance.now();
  const stop = new AbortController();
  let seen = 0;
  await store(nc).follow({
    fromSequence: 1,
    onCommit: () => {
      seen += 1;
      if (seen === count) stop.abort();
    },
    signal: stop.signal,
  });
  return count / ((performance.now() - startedAt) / 1_000);
}

/** The client's ordered consumer with the body parsed, which is the least that a reader of events does. */
async function bareReplay(nc: NatsConnection, count: number): Promise<number> {
  const startedAt = performance.now();
  const consumer = await jetstream(nc).consumers.get(streams.tasks.name);
  const messages = await consumer.consume({ max_messages: 500 });
  let seen = 0;
  for await (const message of messages) {
    message.json();
    seen += 1;
    if (seen === count) break;
  }
  await messages.close();
  return count / ((performance.now() - startedAt) / 1_000);
}

async function run({ quick, log }: BenchContext): ReturnType<Bench['run']> {
  const count = quick ? 500 : 20_000;
  const rounds = quick ? 1 : 4;
  const nats = await startNatsServer();
  const nc = await connectNats({ url: nats.url, name: 'bench' });
  const rates = {
    append: [] as number[],
    bareAppend: [] as number[],
    replay: [] as number[],
    bareReplay: [] as number[],
  };
  try {
    await ensureStream(nc, streams.tasks);
    const events = store(nc);
    const warm = quick ? 100 : 5_000;
    await rateOf(warm, (id) => events.append(subjects.task(id), commitOf(id), 0));
    await rateOf(warm, (id) => bareAppend(nc, id));
    let stored = 2 * warm;
    for (let round = 0; round < rounds; round += 1) {
      rates.append.push(await rateOf(count, (id) => events.append(subjects.task(id), commitOf(id), 0)));
      rates.bareAppend.push(await rateOf(count, (id) => bareAppend(nc, id)));
      stored += 2 * count;
      rates.replay.push(await ourReplay(nc, stored));
      rates.bareReplay.push(await bareReplay(nc, stored));
      log(`append ${rates.append.at(-1)?.toFixed(0)}/s, replay ${rates.replay.at(-1)?.toFixed(0)}/s`);
    }
  } finally {
    await nc.close();
    await nats.stop();
  }
  const figure = (what: string, mine: number[], floor: number[], name: string) => {
    const [ours, value] = [spreadOf(mine), spreadOf(floor)];
    return { what, unit: 'commits/s', ours, beside: { name, value }, ratio: ratioOf(ours, value) };
  };
  return {
    figures: [
      figure(
        `append, fenced and named, ${CONCURRENCY} at a time`,
        rates.append,
        rates.bareAppend,
        "the client's own publish",
      ),
      figure('replay from the start, parsed', rates.replay, rates.bareReplay, "the client's ordered consumer"),
    ],
    notes: ['One writer process, one stream on file, each commit (about 800 bytes) on a subject of its own.'],
  };
}

export const storeBench: Bench = {
  name: 'store',
  title: 'Event store beside bare JetStream',
  limitSeconds: 120,
  run,
};
