import { streams, type StreamDefinition } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import { Controller, type DynamicModule, Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from '../connect.js';
import { publishBytes, publishJson } from '../publisher.js';
import { ensureStream, manager, waitForStream } from '../stream-admin.js';
import type { StreamMessage } from '../stream-message.js';
import { counters } from '../testing/counter-stream.js';
import { eventually } from '../testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from '../testing/nats-server.fixture.js';
import { deadLetterHeaders } from './dead-letter.js';
import { HandleStream, type StreamHandlerOptions } from './decorators.js';
import { type RunningService, startService } from './start-service.js';

const jobs: StreamDefinition = { ...counters, name: 'JOBS', subjects: ['jobs.>'], retention: 'workqueue' };
type Work = (message: StreamMessage) => Promise<void>;

/** A service with one stream handler that does `work`. */
function consumerModule(work: Work, options: Partial<StreamHandlerOptions> = {}): DynamicModule {
  @Controller()
  class JobsConsumer {
    @HandleStream({ stream: jobs, durable: 'worker', ...options })
    handle(message: StreamMessage): Promise<void> {
      return work(message);
    }
  }
  @Module({})
  class JobsModule {}
  return { module: JobsModule, controllers: [JobsConsumer] };
}

describe('@HandleStream', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let services: RunningService[];

  const start = async (work: Work, options?: Partial<StreamHandlerOptions>): Promise<RunningService> => {
    const environment = readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' });
    const service = await startService({ name: 'jobs', module: consumerModule(work, options), environment });
    services.push(service);
    return service;
  };
  const unfinished = async (): Promise<number> => {
    const info = await (await manager(nc)).consumers.info(jobs.name, 'worker');
    return info.num_pending + info.num_ack_pending;
  };
  const deadLetter = async () => {
    await waitForStream(nc, streams.dlq.name);
    return await eventually(async () => {
      const stored = await (await manager(nc)).streams.getMessage('DLQ', { last_by_subj: 'dlq.JOBS.worker' });
      if (stored === null) throw new Error('no dead letter yet');
      return stored;
    });
  };

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'publisher' });
    services = [];
  });

  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await nc.close();
    await server.stop();
  });

  it('waits for a stream that its owner makes later, and says so in its health', async () => {
    const seen: unknown[] = [];
    const service = await start(async (message) => void seen.push(message.json()));
    await eventually(() => expect(service.health.report().status).toBe('degraded'));
    await ensureStream(nc, jobs);
    await publishJson(nc, 'jobs.a', { n: 1 });
    await eventually(() => expect(seen).toEqual([{ n: 1 }]));
    await eventually(() => expect(service.health.report()).toMatchObject({ status: 'healthy' }));
  });

  it('keeps the order of each subject while subjects run side by side, within the limit', async () => {
    await ensureStream(nc, jobs);
    const started: string[] = [];
    const running = new Map<string, number>();
    let most = 0;
    let overlapped = false;
    const orders = new Map<string, number[]>();
    for (let n = 0; n < 20; n += 1) {
      for (const subject of ['jobs.a', 'jobs.b', 'jobs.c', 'jobs.d', 'jobs.e', 'jobs.f'])
        await publishJson(nc, subject, { n });
    }
    await start(
      async (message) => {
        const { subject } = message;
        overlapped ||= (running.get(subject) ?? 0) > 0;
        running.set(subject, (running.get(subject) ?? 0) + 1);
        started.push(subject);
        most = Math.max(
          most,
          [...running.values()].reduce((sum, count) => sum + count, 0),
        );
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        orders.set(subject, [...(orders.get(subject) ?? []), (message.json() as { n: number }).n]);
        running.set(subject, (running.get(subject) ?? 0) - 1);
      },
      { maxInFlight: 4 },
    );
    await eventually(() => expect(started).toHaveLength(120));
    await eventually(async () => expect(await unfinished()).toBe(0));
    for (const order of orders.values()) expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(overlapped).toBe(false);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('tries again after a failure with a growing delay, and nothing of the subject overtakes', async () => {
    await ensureStream(nc, jobs);
    const times: number[] = [];
    const finished: number[] = [];
    await start(async (message) => {
      const { n } = message.json() as { n: number };
      if (n === 1) {
        times.push(performance.now());
        if (times.length < 4) throw new Error('not yet');
      }
      finished.push(n);
    });
    for (const n of [1, 2, 3]) await publishJson(nc, 'jobs.a', { n });
    await eventually(() => expect(finished).toEqual([1, 2, 3]));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(90);
    expect(gaps[1]).toBeGreaterThanOrEqual(190);
    expect(gaps[2]).toBeGreaterThanOrEqual(390);
    await eventually(async () => expect(await unfinished()).toBe(0));
  });

  it('dead-letters at once what can never work, with the reason, and goes on', async () => {
    await ensureStream(nc, jobs);
    const seen: number[] = [];
    await start(async (message) => {
      const { n } = message.json() as { n: number };
      seen.push(n);
      if (n === 1) throw new GantryError('JOB.UNKNOWN', 'invalid', 'Send a job\nthat exists.');
    });
    const { sequence } = await publishJson(nc, 'jobs.a', { n: 1 });
    await publishJson(nc, 'jobs.a', { n: 2 });
    await eventually(() => expect(seen).toEqual([1, 2]));
    const letter = await deadLetter();
    expect(letter.json()).toEqual({ n: 1 });
    expect(letter.header.get(deadLetterHeaders.reason)).toBe('Send a job that exists.');
    expect(letter.header.get(deadLetterHeaders.code)).toBe('JOB.UNKNOWN');
    expect(letter.header.get(deadLetterHeaders.subject)).toBe('jobs.a');
    expect(letter.header.get(deadLetterHeaders.sequence)).toBe(String(sequence));
    await eventually(async () => expect(await unfinished()).toBe(0));
  });

  it('dead-letters a body that is no JSON, and what failed too often', async () => {
    await ensureStream(nc, jobs);
    let tries = 0;
    await start(
      async (message) => {
        if (message.json() !== undefined) tries += 1;
        throw new Error('always');
      },
      { maxDeliver: 3 },
    );
    await publishBytes(nc, 'jobs.broken', new TextEncoder().encode('{"n":'));
    const broken = await deadLetter();
    expect(broken.header.get(deadLetterHeaders.subject)).toBe('jobs.broken');
    expect(broken.string()).toBe('{"n":');
    await publishJson(nc, 'jobs.stubborn', { n: 1 });
    await eventually(async () =>
      expect((await deadLetter()).header.get(deadLetterHeaders.subject)).toBe('jobs.stubborn'),
    );
    expect((await deadLetter()).header.get(deadLetterHeaders.failures)).toBe('3');
    expect(tries).toBe(3);
  });

  it('outlasts an outage without dead-lettering', async () => {
    await ensureStream(nc, jobs);
    let tries = 0;
    await start(
      async () => {
        tries += 1;
        if (tries < 4) throw new GantryError('DATABASE.DOWN', 'unavailable', 'Wait.');
      },
      { maxDeliver: 1 },
    );
    await publishJson(nc, 'jobs.a', {});
    await eventually(async () => expect(await unfinished()).toBe(0));
    expect(tries).toBe(4);
    await waitForStream(nc, streams.dlq.name);
    expect(await (await manager(nc)).streams.getMessage(streams.dlq.name, { last_by_subj: 'dlq.>' })).toBeNull();
  });

  it('keeps a long job to itself: no second delivery while it works', async () => {
    await ensureStream(nc, jobs);
    let runs = 0;
    const work = async (): Promise<void> => {
      runs += 1;
      await new Promise((resolve) => setTimeout(resolve, 3_500));
    };
    await start(work, { ackWaitMs: 1_000 });
    await start(work, { ackWaitMs: 1_000 });
    await publishJson(nc, 'jobs.a', {});
    await eventually(async () => expect(await unfinished()).toBe(0));
    expect(runs).toBe(1);
  });

  it('fetches what is there a few times a second while messages keep coming, if it may, and loses none', async () => {
    await ensureStream(nc, jobs);
    const asked: { no_wait?: boolean }[] = [];
    nc.subscribe(`$JS.API.CONSUMER.MSG.NEXT.${jobs.name}.worker`, {
      callback: (_, message) => void asked.push(message.json()),
    });
    const seen: unknown[] = [];
    await start(async (message) => void seen.push((message.json() as { n: number }).n), { gatherMs: 20 });
    for (let n = 0; n < 300; n += 1) {
      await publishJson(nc, `jobs.${n % 7}`, { n });
      if (n % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await eventually(() => expect(seen).toHaveLength(300));
    expect(new Set(seen).size).toBe(300);
    const fetches = asked.filter(({ no_wait }) => no_wait === true).length;
    expect(fetches).toBeGreaterThan(3);
    expect(fetches).toBeLessThan(100);
    await eventually(async () => expect(await unfinished()).toBe(0));
  });

  it('stops gracefully: finishes what was begun, and another replica takes the rest at once', async () => {
    await ensureStream(nc, jobs);
    const done: string[] = [];
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = 0;
    const leaving = await start(async (message) => {
      begun += 1;
      await blocked;
      done.push(`first:${(message.json() as { n: number }).n}`);
    });
    for (let n = 0; n < 10; n += 1) await publishJson(nc, 'jobs.a', { n });
    await eventually(() => expect(begun).toBe(1));
    const stopped = leaving.stop();
    await start(async (message) => void done.push(`second:${(message.json() as { n: number }).n}`));
    release();
    await stopped;
    await eventually(() => expect(done).toHaveLength(10), { timeoutMs: 5_000 });
    expect(done.filter((entry) => entry.startsWith('first'))).toEqual(['first:0']);
    expect(
      done
        .filter((entry) => entry.startsWith('second'))
        .map((entry) => Number(entry.slice(7)))
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await eventually(async () => expect(await unfinished()).toBe(0));
  });

  it('survives kill -9 of the broker: everything arrives, and this process does nothing twice that it finished', async () => {
    // Not a work queue: that forgets the ids of what was consumed with a restart, so a publisher's retry is stored again.
    await ensureStream(nc, { ...jobs, retention: 'limits' });
    const effects = new Map<number, number>();
    await start(
      async (message) => {
        const { n } = message.json() as { n: number };
        effects.set(n, (effects.get(n) ?? 0) + 1);
      },
      // What was on its way when the broker died comes again after this.
      { ackWaitMs: 5_000 },
    );
    const total = 3_000;
    const publishing = (async () => {
      for (let n = 0; n < total; n += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, k) =>
            publishJson(nc, `jobs.s${k % 7}`, { n: n + k }, { msgId: `m-${n + k}` }),
          ),
        );
      }
    })();
    await eventually(() => expect(effects.size).toBeGreaterThan(200));
    await server.restart();
    await eventually(() => expect(effects.size).toBeGreaterThan(1_200));
    await server.restart();
    await publishing;
    await eventually(() => expect(effects.size).toBe(total), { timeoutMs: 60_000 });
    await eventually(async () => expect(await unfinished()).toBe(0), { timeoutMs: 60_000 });
    expect([...effects.values()].every((count) => count === 1)).toBe(true);
  });

  it('carries thousands of messages a second through a trivial handler', async () => {
    await ensureStream(nc, jobs);
    const total = 20_000;
    for (let n = 0; n < total; n += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, k) => publishJson(nc, `jobs.s${k}`, { n: n + k })));
    }
    let seen = 0;
    const begun = performance.now();
    await start(async (message) => {
      if (typeof (message.json() as { n: number }).n === 'number') seen += 1;
    });
    await eventually(() => expect(seen).toBe(total), { timeoutMs: 30_000, intervalMs: 5 });
    const perSecond = total / ((performance.now() - begun) / 1_000);
    console.log(`durable consumption: ${Math.round(perSecond)} messages/s`);
    // A floor that only a defect breaks, on any machine; the numbers that matter are measured in bench.
    expect(perSecond).toBeGreaterThan(1_000);
  });
});
