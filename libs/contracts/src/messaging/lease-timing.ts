import { GantryError } from '@gantry/kernel/gantry-error';
import { timing } from './timing.js';

/** The constants that leases depend on; `timing` is the set in use. Milliseconds. */
export type TimingConstants = {
  readonly [
    Name in
      | 'heartbeatMs'
      | 'shortestHeartbeatMs'
      | 'shortestLeaseMs'
      | 'longestLeaseMs'
      | 'lossMarginMs'
      | 'stopBeforeLeaseEndMs'
      | 'killBeforeLeaseEndMs'
      | 'leaseCheckMs'
      | 'shortestStopGraceMs'
      | 'agentLagMs'
      | 'engineKillMs'
      | 'keeperKillBeforeLeaseEndMs'
      | 'keeperCheckMs'
      | 'kernelKillMs'
      | 'clockDriftPpm'
  ]: number;
};

export interface LeaseTiming extends TimingConstants {
  readonly leaseMs: number;
}

export interface TimingProblem {
  readonly constant: keyof LeaseTiming;
  /** The value of `constant` that would be just enough; `bound` says from which side. */
  readonly limitMs: number;
  readonly bound: 'least' | 'most';
  readonly message: string;
}

/** Of the acknowledgement of a heartbeat: it must be over before the next one is due, or a lost one costs two. */
const ACK_SHARE = 0.8;
/** One heartbeat may be lost without anything being stopped: the two after it must fit as well. */
const HEARTBEATS_PER_LEASE = 3;
const MISSED_HEARTBEATS = 2.5;

/** Time between heartbeats of an agent whose shortest lease is `leaseMs` (Infinity: it holds none). */
export function heartbeatIntervalMs(leaseMs: number, constants: TimingConstants = timing): number {
  const { heartbeatMs, shortestHeartbeatMs, stopBeforeLeaseEndMs } = constants;
  return Math.max(shortestHeartbeatMs, Math.min(heartbeatMs, (leaseMs - stopBeforeLeaseEndMs) / HEARTBEATS_PER_LEASE));
}

/** How long an agent waits for the acknowledgement of a heartbeat. */
export function ackTimeoutMs(intervalMs: number): number {
  return Math.floor(intervalMs * ACK_SHARE);
}

/** A worker that was not heard for so long gets nothing new to do; it is lost only when its lease is over. */
export function inactiveAfterMs(heartbeatMs: number = timing.heartbeatMs): number {
  return heartbeatMs * MISSED_HEARTBEATS;
}

/** The shortest lease that an agent can keep, and keep although one heartbeat is lost. */
export function smallestLeaseMs(constants: TimingConstants = timing): number {
  const { shortestLeaseMs, shortestHeartbeatMs, stopBeforeLeaseEndMs } = constants;
  return Math.max(shortestLeaseMs, stopBeforeLeaseEndMs + HEARTBEATS_PER_LEASE * shortestHeartbeatMs);
}

/**
 * Time after the sending of the newest acknowledged heartbeat at which the last process of an agent that cannot renew is gone,
 * on the agent's clock, while agent and engine work.
 */
export function goneAfterMs(leaseMs: number, constants: TimingConstants = timing): number {
  return leaseMs - constants.killBeforeLeaseEndMs + constants.agentLagMs + constants.engineKillMs;
}

/** The same where the agent or the engine is dead or frozen: the lease keeper ends it. */
export function keptUntilMs(leaseMs: number, constants: TimingConstants = timing): number {
  const { keeperKillBeforeLeaseEndMs, keeperCheckMs, agentLagMs, kernelKillMs } = constants;
  return leaseMs - keeperKillBeforeLeaseEndMs + keeperCheckMs + agentLagMs + kernelKillMs;
}

/**
 * Time after the receipt of the newest heartbeat from which the scheduler may place the tasks again, on the scheduler's clock.
 * The part that grows with the lease is what two clocks, one slow and one fast, may differ by.
 */
export function lossAfterMs(leaseMs: number, constants: TimingConstants = timing): number {
  const drift = driftOf(constants);
  return leaseMs + constants.lossMarginMs + Math.ceil((leaseMs * 2 * drift) / (1 - drift));
}

/**
 * Everything that is wrong with these times; none means that, under the assumptions of ADR 7, an agent that cannot renew has ended
 * every container before the scheduler places its tasks again:
 *
 *     goneAfter(lease) / (1 - drift)  <=  lossAfter(lease) / (1 + drift)         and the same for keptUntil
 *
 * and that it stops nothing because of a single lost heartbeat.
 */
export function checkTiming(times: LeaseTiming): TimingProblem[] {
  const { leaseMs, killBeforeLeaseEndMs, keeperKillBeforeLeaseEndMs, leaseCheckMs, agentLagMs, shortestStopGraceMs } =
    times;
  const drift = driftOf(times);
  const lateBy = (goneMs: number): number =>
    Math.max(0, Math.ceil((goneMs * (1 + drift)) / (1 - drift) - lossAfterMs(leaseMs, times)));
  const requirements: [constant: keyof LeaseTiming, bound: TimingProblem['bound'], limitMs: number, because: string][] =
    [
      [
        'leaseMs',
        'least',
        smallestLeaseMs(times),
        'an agent stops containers ahead of the end of the lease and must be able to renew it before that, even if one heartbeat is lost',
      ],
      [
        'leaseMs',
        'most',
        times.longestLeaseMs,
        'tasks of a dead machine wait for so long before they are placed again',
      ],
      [
        'stopBeforeLeaseEndMs',
        'least',
        leaseCheckMs + agentLagMs + shortestStopGraceMs + killBeforeLeaseEndMs,
        'containers need their grace between the stop signal and SIGKILL',
      ],
      ['lossMarginMs', 'least', 0, 'the scheduler must not place tasks again before the lease has ended'],
      [
        'killBeforeLeaseEndMs',
        'least',
        killBeforeLeaseEndMs + lateBy(goneAfterMs(leaseMs, times)),
        'the last process must be gone before the scheduler places its task again',
      ],
      [
        'keeperKillBeforeLeaseEndMs',
        'least',
        keeperKillBeforeLeaseEndMs + lateBy(keptUntilMs(leaseMs, times)),
        'the last process must be gone before that, though its agent is dead or frozen',
      ],
    ];
  return requirements.flatMap(([constant, bound, limitMs, because]) => {
    const value = times[constant];
    if (bound === 'least' ? value >= limitMs : value <= limitMs) return [];
    return [{ constant, bound, limitMs, message: `${value} must be at ${bound} ${limitMs}, because ${because}.` }];
  });
}

/** For the start of a process: throws if the lease cannot be kept, and names what to set and to what. */
export function requireSafeTiming(leaseMs: number, variable: string, constants: TimingConstants = timing): void {
  const problems = checkTiming({ ...constants, leaseMs });
  if (problems.length === 0) return;
  const fields = problems.map(({ constant, message }) => ({
    path: constant === 'leaseMs' ? variable : `timing.${constant}`,
    message,
  }));
  throw new GantryError(
    'LEASE.UNSAFE_TIMING',
    'invalid',
    `Tasks could run twice or be stopped for nothing. ${fields.map(({ path, message }) => `${path}: ${message}`).join(' ')}`,
    { fields },
  );
}

function driftOf({ clockDriftPpm }: TimingConstants): number {
  return clockDriftPpm / 1_000_000;
}
