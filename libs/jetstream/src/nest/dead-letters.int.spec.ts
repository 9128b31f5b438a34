import {
  type DeadLetter,
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import type { Actor } from '@gantry/contracts/messaging/actor';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import { Controller, type DynamicModule, Module } from '@nestjs/common';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from '../connect.js';
import { publishBytes, publishJson } from '../publisher.js';
import { RequestClient } from '../request-client.js';
import { ensureStream, manager } from '../stream-admin.js';
import type { StreamMessage } from '../stream-message.js';
import { counters } from '../testing/counter-stream.js';
import { eventually } from '../testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from '../testing/nats-server.fixture.js';
import { HandleStream, HandleStreamBatch } from './decorators.js';
import { type RunningService, startService } from './start-service.js';

const jobs: StreamDefinition = { ...counters, name: 'JOBS', subjects: ['jobs.>'], retention: 'workqueue' };
const samples: StreamDefinition = { ...counters, name: 'SAMPLES', subjects: ['samples.>'] };

const as = (actor: Actor): RequestContext => ({ actor, correlationId: 'test' });
const admin = as({ kind: 'user', id: 'u-1', name: 'Ada', role: 'admin' });
const strangers = [
  as({ kind: 'anonymous' }),
  as({ kind: 'user', id: 'u-2', name: 'Bob', role: 'user' }),
  as({ kind: 'worker', id: 'w-1' }),
];

/** Fails for good while it has the bug; what it applied after that is kept. */
class Handler {
  bug: GantryError | undefined = new GantryError('JOB.UNREADABLE', 'invalid', 'The job cannot be read.');
  readonly applied: StreamMessage[] = [];
  running = 0;
  overlapped = false;

  async take(message: StreamMessage): Promise<void> {
    this.overlapped ||= this.running > 0;
    this.running += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.running -= 1;
    if (this.bug !== undefined && isPoison(message)) throw this.bug;
    this.applied.push(message);
  }
}

const isPoison = (message: StreamMessage): boolean =>
  Buffer.from(message.bytes).subarray(0, 64).toString().includes('poison');

function moduleOf(jobHandler: Handler, sampleHandler: Handler): DynamicModule {
  @Controller()
  class Consumers {
    @HandleStream({ stream: jobs, durable: 'worker' })
    job(message: StreamMessage): Promise<void> {
      return jobHandler.take(message);
    }

    @HandleStreamBatch({ stream: samples, durable: 'writer', maxWaitMs: 20 })
    async batch(messages: StreamMessage[]): Promise<void> {
      for (const message of messages) await sampleHandler.take(message);
    }
  }
  @Module({})
  class ConsumersModule {}
  return { module: ConsumersModule, controllers: [Consumers] };
}

describe('dead letters', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let client: RequestClient;
  let service: RunningService;
  let onJobs: Handler;
  let onSamples: Handler;

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'test' });
    client = new RequestClient(nc);
    await ensureStream(nc, jobs);
    await ensureStream(nc, samples);
    onJobs = new Handler();
    onSamples = new Handler();
    const environment = readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' });
    service = await startService({ name: 'sample', module: moduleOf(onJobs, onSamples), environment });
  });

  afterEach(async () => {
    await service.stop();
    await nc.close();
    await server.stop();
  });

  const list = async (input: Parameters<typeof client.request<typeof listDeadLetters>>[1] = {}) =>
    client.request(listDeadLetters, input, admin);
  const letters = (count: number): Promise<DeadLetter[]> =>
    eventually(
      async () => {
        const { deadLetters } = await list({ limit: 100 });
        expect(deadLetters).toHaveLength(count);
        return deadLetters;
      },
      { timeoutMs: 20_000 },
    );
  const one = async (): Promise<DeadLetter> => {
    const [letter] = await letters(1);
    if (letter === undefined) throw new Error('no letter');
    return letter;
  };
  const replay = ({ id, stream, consumer }: DeadLetter) =>
    client.request(replayDeadLetter(stream, consumer), { id }, admin);

  it('says that there are none', async () => {
    const none = await eventually(() => list());
    expect(none).toEqual({ deadLetters: [], next: null });
  });

  it('a poison message is shown with its reason, and reaches its handler once the bug is mended', async () => {
    const own = headers();
    own.set('traceparent', '00-1-2-03');
    const { sequence } = await publishJson(nc, 'jobs.a', { poison: true, passwordHash: 'x' }, { headers: own });
    await publishJson(nc, 'jobs.a', { n: 2 });
    const letter = await one();
    expect(letter).toMatchObject({
      stream: 'JOBS',
      consumer: 'worker',
      subject: 'jobs.a',
      sequence,
      code: 'JOB.UNREADABLE',
      reason: 'The job cannot be read.',
      failures: 1,
      state: 'open',
      resolvedBy: null,
    });
    expect(await client.request(getDeadLetter, { id: letter.id }, admin)).toMatchObject({
      payload: '{"poison":true}',
      payloadComplete: true,
      headers: expect.arrayContaining([{ key: 'traceparent', value: '00-1-2-03' }]) as unknown,
    });

    // A work queue has dropped the message; the letter still holds it.
    onJobs.bug = undefined;
    expect(await replay(letter)).toMatchObject({ id: letter.id, state: 'replayed', resolvedBy: 'Ada' });
    const replayed = onJobs.applied.find(isPoison);
    expect(replayed?.json()).toEqual({ poison: true, passwordHash: 'x' });
    expect(replayed).toMatchObject({ subject: 'jobs.a', streamSequence: sequence });
    expect(replayed?.headers?.get('traceparent')).toBe('00-1-2-03');
    expect(Math.abs((replayed?.timestampMs ?? 0) - letter.deadLetteredAt)).toBeLessThan(20_000);

    expect((await list()).deadLetters).toEqual([]);
    expect((await list({ state: 'replayed' })).deadLetters).toMatchObject([{ id: letter.id }]);
    await expect(replay(letter)).rejects.toMatchObject({ code: 'DEAD_LETTER.ALREADY_RESOLVED' });
    expect(onJobs.applied.filter(isPoison)).toHaveLength(1);
  });

  it('stays open when it fails again, and says whether to mend or to wait', async () => {
    await publishJson(nc, 'samples.a', { poison: true });
    const letter = await one();
    await expect(replay(letter)).rejects.toMatchObject({ code: 'DEAD_LETTER.FAILED_AGAIN', kind: 'conflict' });
    onSamples.bug = new GantryError('DATABASE.DOWN', 'unavailable', 'Wait.');
    await expect(replay(letter)).rejects.toMatchObject({ code: 'DATABASE.DOWN', retryable: true });
    expect((await one()).state).toBe('open');
    onSamples.bug = undefined;
    expect(await replay(letter)).toMatchObject({ state: 'replayed' });
    expect(onSamples.applied.map((message) => message.json())).toEqual([{ poison: true }]);
  });

  it('waits for its turn: never beside another message of its subject or beside a batch', async () => {
    for (const subject of ['jobs.a', 'samples.a']) await publishJson(nc, subject, { poison: true });
    const found = await letters(2);
    onJobs.bug = undefined;
    onSamples.bug = undefined;
    for (let n = 0; n < 20; n += 1)
      for (const subject of ['jobs.a', 'samples.a']) await publishJson(nc, subject, { n });
    await Promise.all(found.map(replay));
    await eventually(() => expect([onJobs.applied.length, onSamples.applied.length]).toEqual([21, 21]));
    expect([onJobs.overlapped, onSamples.overlapped]).toEqual([false, false]);
  });

  it('fetches a body that was too large to keep from its stream, and says so when it left', async () => {
    const large = Buffer.from(JSON.stringify({ poison: true, text: 'x'.repeat(1_045_000) }));
    await publishBytes(nc, 'samples.a', large);
    await publishBytes(nc, 'jobs.a', large);
    const found = await letters(2);
    const [fromSamples, fromJobs] = ['SAMPLES', 'JOBS'].map((stream) =>
      found.find((letter) => letter.stream === stream),
    );
    if (fromSamples === undefined || fromJobs === undefined) throw new Error('letters are missing');
    onSamples.bug = undefined;
    onJobs.bug = undefined;
    expect(await client.request(getDeadLetter, { id: fromSamples.id }, admin)).toMatchObject({ payload: null });
    expect(await replay(fromSamples)).toMatchObject({ state: 'replayed' });
    expect(onSamples.applied[0]?.bytes.length).toBe(large.length);
    await expect(replay(fromJobs)).rejects.toMatchObject({ code: 'DEAD_LETTER.MESSAGE_GONE' });
    expect(await client.request(discardDeadLetter, { id: fromJobs.id }, admin)).toMatchObject({
      state: 'discarded',
      resolvedBy: 'Ada',
    });
    expect((await list()).deadLetters).toEqual([]);
  });

  it('pages newest first, each letter once, with filters', async () => {
    for (let n = 0; n < 40; n += 1) await publishJson(nc, n % 4 === 0 ? 'jobs.a' : 'samples.a', { poison: n });
    const all = await letters(40);
    expect(all.map(({ id }) => Number(id))).toEqual(all.map(({ id }) => Number(id)).toSorted((a, b) => b - a));
    const [discarded] = all.filter(({ stream }) => stream === 'JOBS');
    await client.request(discardDeadLetter, { id: discarded?.id ?? '' }, admin);
    const seen: DeadLetter[] = [];
    let after: string | null = null;
    do {
      const page: { deadLetters: DeadLetter[]; next: string | null } = await list({
        limit: 4,
        stream: 'JOBS',
        ...(after === null ? {} : { after }),
      });
      expect(page.deadLetters.length).toBeLessThanOrEqual(4);
      seen.push(...page.deadLetters);
      after = page.next;
    } while (after !== null);
    const expected = all.filter(({ stream, id }) => stream === 'JOBS' && id !== discarded?.id);
    expect(seen.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    expect((await list({ consumer: 'writer', limit: 100 })).deadLetters).toHaveLength(30);
  });

  it('is for administrators only', async () => {
    await publishJson(nc, 'jobs.a', { poison: true });
    const { id } = await one();
    onJobs.bug = undefined;
    for (const stranger of strangers) {
      for (const contract of [getDeadLetter, discardDeadLetter, replayDeadLetter('JOBS', 'worker')])
        await expect(client.request(contract, { id }, stranger)).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
      await expect(client.request(listDeadLetters, {}, stranger)).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
    }
    expect(onJobs.applied).toEqual([]);
    await expect(client.request(replayDeadLetter('SAMPLES', 'writer'), { id }, admin)).rejects.toMatchObject({
      code: 'DEAD_LETTER.OTHER_CONSUMER',
    });
    await expect(client.request(getDeadLetter, { id: '999' }, admin)).rejects.toMatchObject({
      code: 'DEAD_LETTER.NOT_FOUND',
    });
    expect((await (await manager(nc)).streams.info('DLQ')).state.messages).toBe(1);
  });
});
