import { streams, type StreamDefinition } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import { Controller, type DynamicModule, Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from '../connect.js';
import { publishJson } from '../publisher.js';
import { ensureStream, manager, waitForStream } from '../stream-admin.js';
import type { StreamMessage } from '../stream-message.js';
import { counters } from '../testing/counter-stream.js';
import { eventually } from '../testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from '../testing/nats-server.fixture.js';
import { deadLetterHeaders } from './dead-letter.js';
import { HandleStreamBatch, type StreamBatchHandlerOptions } from './decorators.js';
import { type RunningService, startService } from './start-service.js';

const samples: StreamDefinition = { ...counters, name: 'SAMPLES', subjects: ['samples.>'] };
type Work = (messages: StreamMessage[]) => Promise<void>;

function batchModule(work: Work, options: Partial<StreamBatchHandlerOptions>): DynamicModule {
  @Controller()
  class SamplesConsumer {
    @HandleStreamBatch({ stream: samples, durable: 'writer', maxWaitMs: 50, ...options })
    handle(messages: StreamMessage[]): Promise<void> {
      return work(messages);
    }
  }
  @Module({})
  class SamplesModule {}
  return { module: SamplesModule, controllers: [SamplesConsumer] };
}

const numberOf = (message: StreamMessage): number => (message.json() as { n: number }).n;
const upTo = (total: number): number[] => Array.from({ length: total }, (_, n) => n);

describe('@HandleStreamBatch', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let service: RunningService | undefined;

  const start = async (work: Work, options: Partial<StreamBatchHandlerOptions> = {}): Promise<void> => {
    const environment = readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' });
    service = await startService({ name: 'samples', module: batchModule(work, options), environment });
  };
  const publish = async (total: number): Promise<void> => {
    for (const n of upTo(total)) await publishJson(nc, 'samples.a', { n });
  };
  const everythingAcknowledged = () =>
    eventually(async () => {
      const info = await (await manager(nc)).consumers.info(samples.name, 'writer');
      expect(info.num_pending + info.num_ack_pending).toBe(0);
    });

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'publisher' });
    await ensureStream(nc, samples);
  });

  afterEach(async () => {
    await service?.stop();
    await nc.close();
    await server.stop();
  });

  it('hands over full batches in order, one at a time, and a rest after the wait', async () => {
    await publish(25);
    const batches: number[][] = [];
    let running = 0;
    let most = 0;
    await start(
      async (messages) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        batches.push(messages.map(numberOf));
        running -= 1;
      },
      { maxMessages: 10 },
    );
    await eventually(() => expect(batches.flat()).toEqual(upTo(25)));
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(most).toBe(1);
    await everythingAcknowledged();
  });

  it('works in as many lanes as it was told, holds no more than that and one batch, and finishes each before it stops', async () => {
    await publish(100);
    const applied: number[] = [];
    let running = 0;
    let most = 0;
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await start(
      async (messages) => {
        running += 1;
        most = Math.max(most, running);
        await opened;
        applied.push(...messages.map(numberOf));
        running -= 1;
      },
      { maxMessages: 10, lanes: 2 },
    );
    const jsm = await manager(nc);
    await eventually(async () => {
      expect(running).toBe(2);
      expect((await jsm.consumers.info(samples.name, 'writer')).num_ack_pending).toBe(30);
    });
    const stopped = service?.stop();
    open();
    await stopped;
    expect(applied.toSorted((a, b) => a - b)).toEqual(upTo(20));
    await start(
      (messages) => {
        applied.push(...messages.map(numberOf));
        return Promise.resolve();
      },
      { maxMessages: 10, lanes: 2 },
    );
    await everythingAcknowledged();
    expect(applied.toSorted((a, b) => a - b)).toEqual(upTo(100));
    expect(most).toBe(2);
  });

  it('collects for longer while the work on a batch takes long, so that batches grow with the load', async () => {
    const batches: number[][] = [];
    await start(
      async (messages) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        batches.push(messages.map(numberOf));
      },
      { maxWaitMs: 10, busyWaitMs: 1_500 },
    );
    await publishJson(nc, 'samples.a', { n: 0 });
    await eventually(() => expect(batches).toEqual([[0]]));
    for (const n of [1, 2, 3, 4, 5]) {
      await publishJson(nc, 'samples.a', { n });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await eventually(() => expect(batches.flat()).toEqual(upTo(6)));
    expect(batches).toEqual([[0], [1, 2, 3, 4, 5]]);
    await everythingAcknowledged();
  });

  it('stores a few batches at once, and a steady trickle in fewer, larger ones', async () => {
    const batches: number[][] = [];
    await start(
      async (messages) => {
        batches.push(messages.map(numberOf));
        await Promise.resolve();
      },
      { maxWaitMs: 10, busyWaitMs: 2_000 },
    );
    for (let n = 0; n < 6; n += 1) {
      await publishJson(nc, 'samples.a', { n });
      await eventually(() => expect(batches.flat()).toEqual(upTo(n + 1)), { timeoutMs: 1_500 });
    }
    for (let n = 6; n < 12; n += 1) {
      await publishJson(nc, 'samples.a', { n });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await eventually(() => expect(batches.flat()).toEqual(upTo(12)));
    expect(batches.slice(0, 6).map((batch) => batch.length)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(batches.length).toBeLessThan(9);
    await everythingAcknowledged();
  });

  it('finds the poison message by halving, dead-letters it alone, and applies all others once in order', async () => {
    await publish(40);
    const applied: number[] = [];
    await start(
      async (messages) => {
        const numbers = messages.map(numberOf);
        if (numbers.includes(17)) throw new Error('cannot store 17');
        applied.push(...numbers);
        await Promise.resolve();
      },
      { maxMessages: 40, maxWaitMs: 300 },
    );
    await eventually(() => expect(applied).toEqual(upTo(40).filter((n) => n !== 17)), { timeoutMs: 20_000 });
    await waitForStream(nc, streams.dlq.name);
    await everythingAcknowledged();
    const jsm = await manager(nc);
    const letter = await jsm.streams.getMessage('DLQ', { last_by_subj: 'dlq.SAMPLES.writer' });
    expect(letter?.json()).toEqual({ n: 17 });
    expect(letter?.header.get(deadLetterHeaders.reason)).toBe('Error: cannot store 17');
    expect((await jsm.streams.info('DLQ')).state.messages).toBe(1);
  });

  it('waits through an outage with the whole batch and drops nothing', async () => {
    await publish(10);
    let tries = 0;
    const sizes: number[] = [];
    const applied: number[] = [];
    await start(
      async (messages) => {
        tries += 1;
        sizes.push(messages.length);
        if (tries <= 5) throw new GantryError('DATABASE.DOWN', 'unavailable', 'Wait.');
        applied.push(...messages.map(numberOf));
        await Promise.resolve();
      },
      { maxMessages: 10 },
    );
    await eventually(() => expect(applied).toEqual(upTo(10)), { timeoutMs: 20_000 });
    expect(sizes).toEqual([10, 10, 10, 10, 10, 10]);
    await everythingAcknowledged();
  });

  it('finishes the batch in hand when it stops and leaves the rest to the next run', async () => {
    await publish(30);
    const applied: number[] = [];
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const work: Work = async (messages) => {
      begin();
      await new Promise((resolve) => setTimeout(resolve, 200));
      applied.push(...messages.map(numberOf));
    };
    await start(work, { maxMessages: 10 });
    await begun;
    await service?.stop();
    const first = applied.length;
    expect(first).toBeGreaterThanOrEqual(10);
    await start(work, { maxMessages: 10 });
    await eventually(() => expect(new Set(applied).size).toBe(30), { timeoutMs: 10_000 });
    expect(applied.slice(0, 10)).toEqual(upTo(10));
    expect(applied).toHaveLength(30);
    await everythingAcknowledged();
  });

  it('fetches what is there a few times a second while messages keep coming, and has them sent as they come when they are rare', async () => {
    const asked: { batch: number; no_wait?: boolean }[] = [];
    nc.subscribe(`$JS.API.CONSUMER.MSG.NEXT.${samples.name}.writer`, {
      callback: (_, message) => void asked.push(message.json()),
    });
    const applied: number[] = [];
    await start(
      (messages) => {
        applied.push(...messages.map(numberOf));
        return Promise.resolve();
      },
      { maxWaitMs: 200 },
    );
    for (const n of upTo(600)) {
      await publishJson(nc, 'samples.a', { n });
      if (n % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await eventually(() => expect(applied).toEqual(upTo(600)));
    expect(asked.filter(({ no_wait }) => no_wait === true).length).toBeGreaterThan(3);
    await eventually(() => expect(asked.at(-1)).not.toHaveProperty('no_wait'));
    const requests = asked.length;
    await publishJson(nc, 'samples.a', { n: 600 });
    await eventually(() => expect(applied).toHaveLength(601));
    expect(asked).toHaveLength(requests);
    await everythingAcknowledged();
  });

  it('loses nothing that came while the process was held up for longer than the broker may be silent', async () => {
    const applied: number[] = [];
    const again: number[] = [];
    await start((messages) => {
      applied.push(...messages.map(numberOf));
      again.push(...messages.map(({ redeliveries }) => redeliveries));
      return Promise.resolve();
    });
    await publish(1);
    await eventually(() => expect(applied).toEqual([0]));
    for (const n of upTo(20)) nc.publish('samples.a', JSON.stringify({ n: n + 1 }));
    await nc.flush();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000);
    await eventually(() => expect(applied).toEqual(upTo(21)), { timeoutMs: 10_000 });
    expect(again.every((count) => count === 0)).toBe(true);
    await everythingAcknowledged();
  });

  it('gives back at once what is on its way when it stops', async () => {
    // Large enough to come in many pieces, of which most are on their way when the first ten are in hand.
    const padding = 'x'.repeat(100_000);
    for (const n of upTo(20)) await publishJson(nc, 'samples.a', { n, padding });
    const applied: number[] = [];
    let stopping: Promise<void> | undefined;
    await start(
      (messages) => {
        stopping ??= service?.stop();
        applied.push(...messages.map(numberOf));
        return Promise.resolve();
      },
      // The first ten are waited for, however slowly they come; fetched as ever.
      { maxMessages: 10, maxWaitMs: 10_000, gatherMs: 25 },
    );
    await eventually(() => expect(stopping).toBeDefined());
    await stopping;
    expect(applied).toEqual(upTo(10));
    await start(
      (messages) => {
        applied.push(...messages.map(numberOf));
        return Promise.resolve();
      },
      { maxMessages: 10 },
    );
    await eventually(() => expect(applied).toEqual(upTo(20)));
    await everythingAcknowledged();
  });
});
