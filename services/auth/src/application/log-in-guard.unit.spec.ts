import { ManualClock } from '@gantry/kernel/clock';
import { describe, expect, it } from 'vitest';
import { KeyedTurns } from './keyed-turns.js';
import { LogInGuard, networkOf } from './log-in-guard.js';

describe('network of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('%s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});

describe('log-in guard', () => {
  it('remembers a bounded number of unknown addresses, the newest', () => {
    const guard = new LogInGuard(new ManualClock());
    for (let count = 0; count <= 10_000; count += 1) guard.recordUnknown(`${count}@example.org`);
    expect(guard.failuresOfUnknown('0@example.org')).toEqual([]);
    expect(guard.failuresOfUnknown('1@example.org')).toHaveLength(1);
    expect(guard.failuresOfUnknown('10000@example.org')).toHaveLength(1);
  });
});

describe('log-in guard without an address', () => {
  it('does not count callers who have none as one network', () => {
    const guard = new LogInGuard(new ManualClock());
    for (let count = 0; count < 200; count += 1) {
      guard.recordNetwork('');
      guard.recordNetwork('192.0.2.1');
    }
    expect(() => guard.checkNetwork('')).not.toThrow();
    expect(() => guard.checkNetwork('192.0.2.1')).toThrow(expect.objectContaining({ code: 'AUTH.TOO_MANY_ATTEMPTS' }));
  });
});

describe('turns', () => {
  it('run work on one key in order, one at a time, and go on after a failure', async () => {
    const turns = new KeyedTurns(10);
    const log: string[] = [];
    const work = (name: string, fails = false) =>
      turns.run('key', async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('refuse a queue that is too long, and only for its key', async () => {
    const turns = new KeyedTurns(1);
    let release: () => void = () => undefined;
    const first = turns.run('key', () => new Promise<void>((resolve) => (release = resolve)));
    await expect(turns.run('key', () => Promise.resolve())).rejects.toMatchObject({
      code: 'AUTH.BUSY',
      retryable: true,
    });
    await expect(turns.run('other', () => Promise.resolve('done'))).resolves.toBe('done');
    await Promise.resolve();
    release();
    await first;
    await expect(turns.run('key', () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
