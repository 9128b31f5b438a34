import { ManualClock } from '@gantry/kernel/clock';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats } from './connect.js';
import { KvLease } from './kv-lease.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const TTL = 10_000;

describe('KvLease', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let round = 0;

  /** Two holders with clocks of their own, an hour apart: only what each clock measures may matter. */
  const contenders = () => {
    round += 1;
    const key = `leader-${round}`;
    const clockA = new ManualClock(0);
    const clockB = new ManualClock(3_600_000);
    const a = new KvLease(nc, { bucket: 'scheduler', key, holder: 'a', ttlMs: TTL, clock: clockA });
    const b = new KvLease(nc, { bucket: 'scheduler', key, holder: 'b', ttlMs: TTL, clock: clockB });
    return { a, b, clockA, clockB, key };
  };

  beforeAll(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'lease' });
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  it('has one holder at a time', async () => {
    const { a, b } = contenders();
    const [first, second] = await Promise.all([a.acquire(), b.acquire()]);
    expect([first, second].filter(Boolean)).toHaveLength(1);
    expect([a.held, b.held]).toEqual([first, second]);
    expect(first ? a.epoch : b.epoch).toBe(1);
  });

  it('is not taken over while it is renewed, however often the other tries', async () => {
    const { a, b, clockA, clockB } = contenders();
    expect(await a.acquire()).toBe(true);
    for (let step = 0; step < 6; step += 1) {
      clockA.advance(TTL / 2);
      clockB.advance(TTL / 2);
      expect(await a.renew()).toBe(true);
      expect(await b.acquire()).toBe(false);
    }
    expect(a.epoch).toBe(1);
  });

  it('is taken over with a higher epoch after a whole silent term, and the old holder knows', async () => {
    const { a, b, clockA, clockB } = contenders();
    await a.acquire();
    expect(await b.acquire()).toBe(false);
    clockB.advance(TTL - 1);
    expect(await b.acquire()).toBe(false);
    clockA.advance(TTL);
    expect(a.held).toBe(false);
    clockB.advance(1);
    expect(await b.acquire()).toBe(true);
    expect(b.epoch).toBe(2);
    expect(await a.renew()).toBe(false);
    expect(await a.acquire()).toBe(false);
    expect(b.held).toBe(true);
  });

  it('is free at once when it was released, with a higher epoch', async () => {
    const { a, b } = contenders();
    await a.acquire();
    await a.release();
    expect(a.held).toBe(false);
    expect(await b.acquire()).toBe(true);
    expect(b.epoch).toBe(2);
    await a.release();
    expect(await b.renew()).toBe(true);
  });

  it('gives a process that restarts under its old name a new epoch', async () => {
    const { a, key } = contenders();
    await a.acquire();
    const again = new KvLease(nc, { bucket: 'scheduler', key, holder: 'a', ttlMs: TTL, clock: new ManualClock() });
    expect(await again.acquire()).toBe(true);
    expect(again.epoch).toBe(2);
    expect(await a.renew()).toBe(false);
  });

  it('goes on above an epoch that the holder met, but not for one that was replaced', async () => {
    const { a, b, clockB } = contenders();
    await a.acquire();
    expect(await a.raise(7)).toBe(true);
    expect([a.epoch, a.held]).toEqual([8, true]);
    expect(await b.acquire()).toBe(false);
    clockB.advance(TTL);
    expect(await b.acquire()).toBe(true);
    expect(b.epoch).toBe(9);
    expect(await a.raise(9)).toBe(false);
    expect(a.held).toBe(false);
    expect(await b.renew()).toBe(true);
    expect(b.epoch).toBe(9);
  });

  it('outlives a restart of the broker', async () => {
    const { a, b } = contenders();
    await a.acquire();
    await server.restart();
    expect(await a.renew()).toBe(true);
    expect(await b.acquire()).toBe(false);
    expect(a.epoch).toBe(1);
  });
});
