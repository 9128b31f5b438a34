import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ackTimeoutMs, checkTiming, heartbeatIntervalMs, type LeaseTiming, lossAfterMs } from './lease-timing.js';
import { timing } from './timing.js';

const between = (least: number, most: number) => fc.double({ min: least, max: most, noNaN: true });

/** Times that nobody chose with care; `checkTiming` decides which of them may be used. */
const anyTimes: fc.Arbitrary<LeaseTiming> = fc.record({
  heartbeatMs: fc.integer({ min: 100, max: 20_000 }),
  shortestHeartbeatMs: fc.integer({ min: 100, max: 5_000 }),
  shortestLeaseMs: fc.constant(1_000),
  longestLeaseMs: fc.constant(timing.longestLeaseMs),
  lossMarginMs: fc.integer({ min: -500, max: 5_000 }),
  stopBeforeLeaseEndMs: fc.integer({ min: 0, max: 30_000 }),
  killBeforeLeaseEndMs: fc.integer({ min: 0, max: 10_000 }),
  leaseCheckMs: fc.integer({ min: 10, max: 2_000 }),
  shortestStopGraceMs: fc.integer({ min: 0, max: 10_000 }),
  agentLagMs: fc.integer({ min: 0, max: 4_000 }),
  engineKillMs: fc.integer({ min: 0, max: 4_000 }),
  keeperKillBeforeLeaseEndMs: fc.integer({ min: 0, max: 10_000 }),
  keeperCheckMs: fc.integer({ min: 10, max: 2_000 }),
  kernelKillMs: fc.integer({ min: 0, max: 4_000 }),
  clockDriftPpm: fc.integer({ min: 0, max: 1_000 }),
  leaseMs: fc.oneof(fc.integer({ min: 1_000, max: 120_000 }), fc.integer({ min: 1_000, max: timing.longestLeaseMs })),
});
const timesInUse: fc.Arbitrary<LeaseTiming> = fc
  .integer({ min: timing.shortestLeaseMs, max: timing.longestLeaseMs })
  .map((leaseMs) => ({ ...timing, leaseMs }));

/** Each between 0 and 1 of its bound; rates of the two clocks between -1 and 1 of the drift. */
const luck = fc.record({
  network: between(0, 1),
  noticed: between(0, 1),
  killLag: between(0, 1),
  engine: between(0, 1),
  agentRate: between(-1, 1),
  schedulerRate: between(-1, 1),
});

it('every process has ended before the scheduler may place its task again', () => {
  fc.assert(
    fc.property(fc.oneof(anyTimes, timesInUse), luck, (times, by) => {
      fc.pre(checkTiming(times).length === 0);
      const drift = times.clockDriftPpm / 1_000_000;
      const agentRate = 1 + by.agentRate * drift;
      const schedulerRate = 1 + by.schedulerRate * drift;
      // The agent's clock starts when the newest acknowledged heartbeat is sent; the check that finds the lease over comes late.
      const stop = times.leaseMs - times.stopBeforeLeaseEndMs + by.noticed * (times.leaseCheckMs + times.agentLagMs);
      const grace = Math.max(0, times.leaseMs - stop - times.killBeforeLeaseEndMs);
      expect(grace).toBeGreaterThanOrEqual(times.shortestStopGraceMs - 1e-6);
      const kill = stop + grace + by.killLag * times.agentLagMs;
      const gone = kill / agentRate + by.engine * times.engineKillMs;
      // Any delay on the way to the scheduler only adds time.
      const lost = by.network * 10_000 + lossAfterMs(times.leaseMs, times) / schedulerRate;
      expect(gone).toBeLessThanOrEqual(lost);
      // The same with an agent that does nothing: the keeper's last look before that came just too early.
      const kept = times.leaseMs - times.keeperKillBeforeLeaseEndMs + by.noticed * times.keeperCheckMs;
      const keptGone = (kept + by.killLag * times.agentLagMs) / agentRate + by.engine * times.kernelKillMs;
      expect(keptGone).toBeLessThanOrEqual(lost);
    }),
    { numRuns: 2_000 },
  );
});

it('refuses times with which the worst case overlaps', () => {
  fc.assert(
    fc.property(anyTimes, (times) => {
      const drift = times.clockDriftPpm / 1_000_000;
      const gone = (times.leaseMs - times.killBeforeLeaseEndMs + times.agentLagMs + times.engineKillMs) / (1 - drift);
      const lost = lossAfterMs(times.leaseMs, times) / (1 + drift);
      fc.pre(gone > lost + 1);
      expect(checkTiming(times)).not.toEqual([]);
    }),
  );
});

it('one lost heartbeat stops nothing', () => {
  fc.assert(
    fc.property(fc.oneof(anyTimes, timesInUse), between(0, 1), (times, slowness) => {
      fc.pre(checkTiming(times).length === 0);
      const interval = heartbeatIntervalMs(times.leaseMs, times);
      const renewed = 2 * interval + slowness * ackTimeoutMs(interval);
      expect(renewed).toBeLessThan(times.leaseMs - times.stopBeforeLeaseEndMs);
    }),
    { numRuns: 1_000 },
  );
});
