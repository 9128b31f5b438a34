import { discardDeadLetter, listDeadLetters, replayDeadLetter } from '@gantry/contracts/messaging/dead-letters';
import { streams } from '@gantry/contracts/messaging/streams';
import type { DeadLetter } from '@gantry/contracts/messaging/dead-letters';
import type { HeldMessage } from '@gantry/event-sourcing/snapshot-store.port';
import { HealthState } from '@gantry/nest-platform/health';
import { createLogger } from '@gantry/nest-platform/logger';
import { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import { createRegistry } from '@gantry/nest-platform/metrics';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { GantryTransport } from './nest/gantry-transport.js';
import { publishBytes } from './publisher.js';
import { Quarantine, type QuarantineOptions } from './quarantine.js';
import { RequestClient } from './request-client.js';
import { ensureStream, manager } from './stream-admin.js';
import { counters } from './testing/counter-stream.js';
import { eventually } from './testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const admin = { actor: { kind: 'user', id: 'u-1', name: 'Ada', role: 'admin' }, correlationId: 'test' } as const;
const user = { actor: { kind: 'user', id: 'u-2', name: 'Bob', role: 'user' }, correlationId: 'test' } as const;
const options: QuarantineOptions = { stream: 'COUNTERS', consumer: 'board', later: 'wait' };

/** One process of a reader: text by subject, in the order in which it was applied. `mended`: also reads what begins with `bad`. */
class Reader {
  readonly applied = new Map<string, string[]>();
  readonly discarded: number[] = [];
  passed = 0;
  private readonly stopping = new AbortController();
  private readonly registry = createRegistry('test');
  private ended: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly nc: NatsConnection,
    readonly health: HealthState,
    readonly quarantine: Quarantine,
    private readonly transport: GantryTransport,
  ) {}

  static async start(
    url: string,
    { mended = false, from = 0, held = [], change = {} }: ReaderOptions = {},
  ): Promise<Reader> {
    const nc = await connectNats({ url, name: 'reader' });
    const logger = createLogger('test', { level: 'silent', format: 'json' });
    const health = new HealthState('test');
    const host = { nc, logger, health, metrics: new MessagingMetrics(createRegistry('test')) };
    const quarantine = new Quarantine(host, { ...options, ...change });
    const reader = new Reader(nc, health, quarantine, new GantryTransport({ ...host, service: 'test' }));
    await reader.run(from, held, mended);
    return reader;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
    await this.transport.close();
    await this.nc.close();
    this.health.stop();
    this.registry.clear();
  }

  of(subject: string): string[] {
    return this.applied.get(`counters.${subject}`) ?? [];
  }

  get state() {
    const { status, reasons } = this.health.report();
    return { status, reason: reasons.join('; ') };
  }

  private async run(from: number, held: readonly HeldMessage[], mended: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.ended = this.quarantine
        .follow({
          fromSequence: from + 1,
          held,
          apply: async ({ subject, bytes }, late) => {
            // So that more comes while what waited is applied.
            if (late) await new Promise((resolve) => setTimeout(resolve, 1));
            const text = Buffer.from(bytes).toString();
            if (text.startsWith('bad') && !mended) throw new SyntaxError(`cannot read ${text}`);
            if (text.startsWith('worse')) throw new SyntaxError(`cannot read ${text}`);
            this.applied.set(subject, [...(this.applied.get(subject) ?? []), text]);
          },
          onPassed: ({ streamSequence }) => (this.passed = streamSequence),
          onDiscarded: ({ sequence }) => this.discarded.push(sequence),
          onCaughtUp: resolve,
          signal: this.stopping.signal,
        })
        .catch(reject);
    });
    await new Promise<void>((resolve) => this.transport.listen(() => resolve()));
  }
}

interface ReaderOptions {
  mended?: boolean;
  from?: number;
  held?: readonly HeldMessage[];
  change?: Partial<QuarantineOptions>;
}

describe('a reader with a quarantine', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let client: RequestClient;
  let readers: Reader[];

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'test' });
    client = new RequestClient(nc);
    readers = [];
    await ensureStream(nc, counters);
  });

  afterEach(async () => {
    await Promise.all(readers.map((reader) => reader.stop()));
    await nc.close();
    await server.stop();
  });

  const start = async (from?: ReaderOptions): Promise<Reader> => {
    const reader = await Reader.start(server.url, from);
    readers.push(reader);
    return reader;
  };
  const stop = async (reader: Reader): Promise<void> => {
    readers = readers.filter((other) => other !== reader);
    await reader.stop();
  };
  const put = async (...messages: string[]): Promise<number> => {
    let last = 0;
    for (const message of messages) {
      const [subject, text = ''] = message.split(':');
      last = (await publishBytes(nc, `counters.${subject}`, Buffer.from(text))).sequence;
    }
    return last;
  };
  const letters = async (state: 'open' | 'all' = 'open'): Promise<DeadLetter[]> =>
    (await client.request(listDeadLetters, { state, limit: 100 }, admin)).deadLetters;
  const letter = (): Promise<DeadLetter> =>
    eventually(async () => {
      const [one, ...others] = await letters();
      expect(others).toEqual([]);
      if (one === undefined) throw new Error('no letter');
      return one;
    });
  const discard = ({ id }: DeadLetter) => client.request(discardDeadLetter, { id }, admin);
  const replay = ({ id, stream, consumer }: DeadLetter, by: typeof admin | typeof user = admin) =>
    client.request(replayDeadLetter(stream, consumer), { id }, by);

  it('goes on past an unreadable message, and holds aside only what follows on its subject', async () => {
    await put('a:1', 'a:bad', 'a:2', 'b:1');
    const reader = await start();
    const last = await put('a:3', 'b:2');
    await eventually(() => expect(reader.of('b')).toEqual(['1', '2']));
    expect(reader.of('a')).toEqual(['1']);
    expect(reader.passed).toBe(last);
    const found = await letter();
    expect(found).toMatchObject({
      stream: 'COUNTERS',
      consumer: 'board',
      subject: 'counters.a',
      sequence: 2,
      reason: 'SyntaxError: cannot read bad',
      state: 'open',
    });
    expect(reader.state).toEqual({
      status: 'degraded',
      reason: `board: 1 message of COUNTERS could not be read (dead letter ${found.id}); mend the cause, then replay or discard it: gantry admin dead-letters`,
    });
    expect(reader.quarantine.snapshot()).toEqual([{ subject: 'counters.a', sequence: 2 }]);
  });

  it('writes one letter, however many processes start how often', async () => {
    await put('a:bad');
    await Promise.all([start(), start()]);
    await stop(await start());
    const found = await letter();
    await stop(await start({ held: [{ subject: 'counters.a', sequence: 1 }], from: 1 }));
    // As after the broker has forgotten the message ids: only the look for the letter keeps this from being a second one.
    const dlq = { ...streams.dlq, duplicateWindowMs: 100 };
    await ensureStream(nc, dlq);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await start();
    await start({ held: [{ subject: 'counters.a', sequence: 1 }], from: 1 });
    expect(await letters('all')).toEqual([found]);
  });

  it('a discarded message is skipped and what waited is applied in order, in every process and at every later start', async () => {
    await put('a:1', 'a:bad', 'a:2', 'a:3');
    const [first, second] = [await start(), await start()];
    const found = await letter();
    await discard(found);
    await put('a:4');
    for (const reader of [first, second]) {
      await eventually(() => expect(reader.of('a')).toEqual(['1', '2', '3', '4']));
      expect(reader.state.status).toBe('healthy');
      expect(reader.discarded).toEqual([2]);
      expect(reader.quarantine.isDiscarded({ subject: 'counters.a', streamSequence: 2 })).toBe(true);
    }
    // Also by a version that could read it: all must show the same.
    const later = await start({ mended: true });
    expect(later.of('a')).toEqual(['1', '2', '3', '4']);
    const fromSnapshot = await start({ mended: true, from: 3, held: [{ subject: 'counters.a', sequence: 2 }] });
    expect(fromSnapshot.of('a')).toEqual(['2', '3', '4']);
    expect(await letters('all')).toMatchObject([{ id: found.id, state: 'discarded' }]);
  });

  it('the next unreadable message behind a discarded one is a letter of its own', async () => {
    await put('a:bad', 'a:1', 'a:worse', 'a:2');
    const [reader] = [await start(), await start()];
    const first = await letter();
    await discard(first);
    const second = await eventually(async () => {
      const found = await letter();
      expect(found.id).not.toBe(first.id);
      return found;
    });
    expect(second).toMatchObject({ sequence: 3, reason: 'SyntaxError: cannot read worse' });
    expect(reader?.of('a')).toEqual(['1']);
    expect(reader?.state.status).toBe('degraded');
    await discard(second);
    for (const each of readers) await eventually(() => expect(each.of('a')).toEqual(['1', '2']));
    expect(await letters('all')).toHaveLength(2);
  });

  it('a replay that fails again says so and changes nothing; one that works applies all in order', async () => {
    await put('a:1', 'a:bad', 'a:2');
    const old = await start();
    const found = await letter();
    await expect(replay(found, user)).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
    await expect(replay(found)).rejects.toMatchObject({
      code: 'DEAD_LETTER.FAILED_AGAIN',
      message: expect.stringContaining('cannot read bad') as string,
    });
    expect(await letters()).toEqual([found]);
    expect(old.of('a')).toEqual(['1']);
    await stop(old);

    // The mended version meets it again by itself, from the start or from a snapshot that held it aside.
    const mended = await start({ mended: true });
    expect(mended.of('a')).toEqual(['1', 'bad', '2']);
    const fromSnapshot = await start({ mended: true, from: 3, held: [{ subject: 'counters.a', sequence: 2 }] });
    expect(fromSnapshot.of('a')).toEqual(['bad', '2']);
    expect(mended.state.status).toBe('healthy');
    expect(await replay(found)).toMatchObject({ state: 'replayed' });
    expect(mended.of('a')).toEqual(['1', 'bad', '2']);
  });

  it('a process that cannot read what another one replayed writes a new letter', async () => {
    await put('a:bad', 'a:1');
    const mended = await start({ mended: true });
    const old = await start();
    const found = await letter();
    // Whichever is asked: only the mended one can.
    await eventually(() => replay(found));
    const again = await eventually(async () => {
      const one = await letter();
      expect(one.id).not.toBe(found.id);
      return one;
    });
    expect([mended.of('a'), old.of('a')]).toEqual([['bad', '1'], []]);
    await stop(old);
    await start();
    expect(await letter()).toEqual(again);
  });

  it('where messages stand for themselves only the unreadable one is left out', async () => {
    const change = { later: 'go on' } as const;
    await put('a:1', 'a:bad', 'a:2', 'a:worse', 'a:3');
    const reader = await start({ change });
    expect(reader.of('a')).toEqual(['1', '2', '3']);
    const held = reader.quarantine.snapshot() ?? [];
    expect(held.map(({ sequence }) => sequence)).toEqual([2, 4]);
    expect(reader.state.reason).toContain('2 messages of COUNTERS could not be read');
    const restarted = await start({ change, held, from: 5, mended: true });
    expect(restarted.of('a')).toEqual(['bad']);
    for (const each of await letters()) await discard(each);
    await eventually(() => expect([reader.state.status, restarted.state.status]).toEqual(['healthy', 'healthy']));
    expect(reader.of('a')).toEqual(['1', '2', '3']);
  });

  it('skips nothing before the letter is stored', async () => {
    const reader = await start();
    const { streams: admins } = await manager(nc);
    await admins.update(streams.dlq.name, { max_msg_size: 1 });
    await put('a:bad', 'b:1');
    await eventually(() => expect(reader.state.status).toBe('unhealthy'));
    expect(reader.of('b')).toEqual([]);
    await admins.update(streams.dlq.name, { max_msg_size: -1 });
    await eventually(() => expect(reader.of('b')).toEqual(['1']));
    expect(reader.state.status).toBe('degraded');
    await letter();
  });

  it('lets what comes while it is released wait its turn, through a restart of the broker', async () => {
    await put('a:bad', ...Array.from({ length: 300 }, (_, n) => `a:${n}`));
    const reader = await start();
    await discard(await letter());
    for (let n = 300; n < 500; n += 1) {
      if (n === 450) await server.restart();
      await put(`a:${n}`);
    }
    const all = Array.from({ length: 500 }, (_, n) => String(n));
    await eventually(() => expect(reader.of('a')).toEqual(all), { timeoutMs: 20_000 });
  });
});
