import { describe, expect, it } from 'vitest';
import {
  ackTimeoutMs,
  checkTiming,
  goneAfterMs,
  heartbeatIntervalMs,
  keptUntilMs,
  lossAfterMs,
  requireSafeTiming,
  smallestLeaseMs,
} from './lease-timing.js';
import { timing } from './timing.js';

const withLease = (leaseMs: number) => ({ ...timing, leaseMs });

describe('the times in use', () => {
  it.each([timing.shortestLeaseMs, timing.defaultLeaseMs, 3_600_000, timing.longestLeaseMs])(
    'are safe with a lease of %i ms',
    (leaseMs) => {
      expect(checkTiming(withLease(leaseMs))).toEqual([]);
      expect(() => requireSafeTiming(leaseMs, 'GANTRY_LEASE_MS')).not.toThrow();
    },
  );

  it('leave a whole second between the last process and the next placement', () => {
    expect(goneAfterMs(60_000)).toBe(60_000);
    expect(lossAfterMs(60_000)).toBe(61_061);
    expect(keptUntilMs(60_000)).toBe(59_750);
  });

  it('wait longer after a long lease, because clocks drift', () => {
    expect(lossAfterMs(timing.longestLeaseMs) - timing.longestLeaseMs).toBeGreaterThan(600_000);
  });

  it('send heartbeats at their pace while the lease is long, and faster when it is short', () => {
    expect(heartbeatIntervalMs(Number.POSITIVE_INFINITY)).toBe(5_000);
    expect(heartbeatIntervalMs(60_000)).toBe(5_000);
    expect(heartbeatIntervalMs(16_000)).toBe(2_000);
    expect(heartbeatIntervalMs(1)).toBe(1_000);
    expect(ackTimeoutMs(5_000)).toBe(4_000);
  });
});

describe('what is not safe', () => {
  it('is a lease too short or too long', () => {
    expect(checkTiming(withLease(14_999))).toMatchObject([{ constant: 'leaseMs', bound: 'least', limitMs: 15_000 }]);
    expect(checkTiming(withLease(timing.longestLeaseMs + 1))).toMatchObject([{ constant: 'leaseMs', bound: 'most' }]);
  });

  it('is named with the variable and the smallest value', () => {
    expect(() => requireSafeTiming(9_000, 'GANTRY_LEASE_MS')).toThrow(/GANTRY_LEASE_MS: 9000 must be at least 15000/);
  });

  it('is a heartbeat that does not fit into the lease', () => {
    const slow = { ...timing, shortestHeartbeatMs: 5_000 };
    expect(smallestLeaseMs(slow)).toBe(25_000);
    expect(checkTiming({ ...slow, leaseMs: 20_000 })).toMatchObject([{ constant: 'leaseMs', limitMs: 25_000 }]);
    expect(() => requireSafeTiming(60_000, 'X', { ...timing, lossMarginMs: -1 })).toThrow('timing.lossMarginMs');
  });

  it('is a stop that leaves no grace', () => {
    const abrupt = { ...withLease(60_000), stopBeforeLeaseEndMs: 9_000 };
    expect(checkTiming(abrupt)).toMatchObject([{ constant: 'stopBeforeLeaseEndMs', limitMs: 9_500 }]);
  });

  it.each([
    { killBeforeLeaseEndMs: 1_500 },
    { engineKillMs: 4_000 },
    { agentLagMs: 2_500, stopBeforeLeaseEndMs: 20_000, engineKillMs: 2_000, keeperKillBeforeLeaseEndMs: 3_000 },
  ])('is a kill that comes too late: %j', (change) => {
    const times = { ...withLease(60_000), ...change };
    const [problem] = checkTiming(times);
    expect(problem).toMatchObject({ constant: 'killBeforeLeaseEndMs', bound: 'least' });
    const remedied = { ...times, killBeforeLeaseEndMs: problem!.limitMs, stopBeforeLeaseEndMs: 30_000 };
    expect(checkTiming(remedied)).toEqual([]);
    expect(checkTiming({ ...remedied, killBeforeLeaseEndMs: problem!.limitMs - 2 })).not.toEqual([]);
  });

  it.each([{ keeperKillBeforeLeaseEndMs: 500 }, { keeperCheckMs: 3_000 }, { kernelKillMs: 3_000 }])(
    'is a lease keeper that comes too late: %j',
    (change) => {
      const times = { ...withLease(60_000), ...change };
      const [problem] = checkTiming(times);
      expect(problem).toMatchObject({ constant: 'keeperKillBeforeLeaseEndMs', bound: 'least' });
      const remedied = { ...times, keeperKillBeforeLeaseEndMs: problem!.limitMs };
      expect(checkTiming(remedied)).toEqual([]);
      expect(checkTiming({ ...remedied, keeperKillBeforeLeaseEndMs: problem!.limitMs - 2 })).not.toEqual([]);
    },
  );
});
