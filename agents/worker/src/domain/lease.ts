import { ackTimeoutMs, inactiveAfterMs } from '@gantry/contracts/messaging/lease-timing';
import { timing } from '@gantry/contracts/messaging/timing';

export interface LeaseCheck {
  readonly over: boolean;
  readonly graceMs: number;
}

/**
 * `renewedAt`: when the newest acknowledged heartbeat was *sent* (the broker has it no earlier), `now`: same monotonic clock,
 * milliseconds. Over means: stop now; SIGKILL comes `graceMs` later and still before the scheduler may place it again.
 *
 * `patient`: the agent has just started and the broker gets a moment to renew the lease. Then only what cannot wait any longer is
 * over; a lease that ended before the start has kept nobody from placing the task again, so a moment more changes nothing.
 */
export function checkLease(renewedAt: number, now: number, leaseMs: number, patient = false): LeaseCheck {
  const left = renewedAt + leaseMs - now;
  const graceMs = Math.max(0, Math.min(left, timing.stopBeforeLeaseEndMs) - timing.killBeforeLeaseEndMs);
  if (patient) return { over: left > 0 && left <= timing.killBeforeLeaseEndMs + 2 * timing.leaseCheckMs, graceMs };
  return { over: left <= timing.stopBeforeLeaseEndMs, graceMs };
}

/** From the moment on in which whatever runs under the lease is killed, nothing may be started under it. Times as of `checkLease`. */
export function isTooLateToStart(renewedAt: number, now: number, leaseMs: number): boolean {
  return now >= renewedAt + leaseMs - timing.killBeforeLeaseEndMs;
}

/** How long the agent was out of touch before it read something. Milliseconds of monotonic clocks. */
export interface Silence {
  /** Since the reading before: nothing that was read now is older. Infinity: the first reading of this life. */
  readonly unreadMs: number;
  /** The longest time between the sendings of two acknowledged heartbeats since the reading before. */
  readonly longestGapMs: number;
}

/**
 * Whether the scheduler may have given up what it assigned before the agent read it.
 *
 * Not if the reading before was a short while ago: the scheduler gives nothing to an inactive worker, so from an assignment to a
 * loss it takes at least the rest of the lease. Nor if heartbeats went on: the broker has one at most an acknowledgement's time-out
 * after its sending, so a worker that was called lost has seen a gap of the lease less that.
 */
export function mayBeGivenUp({ unreadMs, longestGapMs }: Silence, leaseMs: number): boolean {
  return unreadMs >= leaseMs - inactiveAfterMs() && longestGapMs >= leaseMs - ackTimeoutMs(timing.heartbeatMs);
}
