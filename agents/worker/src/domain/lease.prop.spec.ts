import { goneAfterMs, lossAfterMs } from '@gantry/contracts/messaging/lease-timing';
import { timing } from '@gantry/contracts/messaging/timing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AttemptEffect, AttemptInput, AttemptState, Ending } from './attempt.state.js';
import { step } from './attempt.step.js';
import { checkLease } from './lease.js';

const lease = fc.integer({ min: timing.shortestLeaseMs, max: 600_000 });
const lag = fc.integer({ min: 0, max: timing.agentLagMs });
/** An ending that came before: its grace may be longer than what is left of the lease. */
const earlier = fc.option(fc.record({ before: fc.nat(9_000), graceMs: fc.nat(120_000) }), { nil: undefined });

/** When SIGKILL is sent to a container whose agent can no longer renew, on the clock of the renewal. */
function killedAt(
  leaseMs: number,
  phase: number,
  lags: readonly number[],
  early?: { before: number; graceMs: number },
) {
  let state: AttemptState = { status: 'running', containerId: 'c', startedAt: 0 };
  let killDue = Number.POSITIVE_INFINITY;
  const feed = (input: AttemptInput, at: number): AttemptEffect[] => {
    const next = step(state, input);
    state = next.state;
    for (const effect of next.effects) if (effect.type === 'stop') killDue = at + effect.graceMs;
    return [...next.effects];
  };
  const end = (ending: Ending, at: number) => feed({ type: 'end', ending, at }, at);
  if (early !== undefined) {
    const at = leaseMs - timing.stopBeforeLeaseEndMs - early.before;
    end({ cause: 'revoked', reason: 'cancelled', graceMs: early.graceMs }, at);
  }
  for (let look = phase, turn = 0; ; look += timing.leaseCheckMs, turn += 1) {
    const now = look + lags[turn % lags.length]!;
    if (now >= killDue) break;
    const { over, graceMs } = checkLease(0, now, leaseMs);
    if (!over) continue;
    end({ cause: 'lease_over', graceMs }, now);
    break;
  }
  expect(feed({ type: 'grace-over' }, killDue)).toEqual([{ type: 'kill', containerId: 'c' }]);
  return killDue;
}

it('whatever else was asked for, SIGKILL comes early enough for the end of the lease and of the margin', () => {
  fc.assert(
    fc.property(
      lease,
      fc.nat(timing.leaseCheckMs),
      fc.array(lag, { minLength: 1, maxLength: 7 }),
      earlier,
      lag,
      (leaseMs, phase, lags, early, killLag) => {
        const gone = killedAt(leaseMs, phase, lags, early) + killLag + timing.engineKillMs;
        expect(gone).toBeLessThanOrEqual(goneAfterMs(leaseMs));
        expect(gone).toBeLessThan(lossAfterMs(leaseMs));
      },
    ),
  );
});

it('a container that starts after its lease was over gets no grace', () => {
  fc.assert(
    fc.property(fc.nat(7_000), fc.option(fc.nat(60_000), { nil: undefined }), (graceMs, cancelGrace) => {
      let state: AttemptState = { status: 'creating', containerId: 'c' };
      const end = (ending: Ending) => (state = step(state, { type: 'end', ending, at: 1 }).state);
      if (cancelGrace !== undefined) end({ cause: 'revoked', reason: 'cancelled', graceMs: cancelGrace });
      end({ cause: 'lease_over', graceMs });
      const { effects } = step(state, { type: 'started', startedAt: 2 });
      expect(effects.at(-1)).toEqual({ type: 'stop', containerId: 'c', graceMs: 0 });
    }),
  );
});
