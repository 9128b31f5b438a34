import { timing } from '@gantry/contracts/messaging/timing';

/** Kill time that is left after the stop signal, so that everything is gone when the lease ends. */
const KILL_MARGIN_MS = 3_000;

export interface LeaseCheck {
  readonly over: boolean;
  readonly graceMs: number;
}

/**
 * `renewedAt`: when the newest acknowledged heartbeat was *sent* (the broker has it no earlier), `now`: same monotonic clock,
 * milliseconds. Over means: stop now; SIGKILL comes `graceMs` later and still before the scheduler may place it again.
 */
export function checkLease(renewedAt: number, now: number, leaseMs: number): LeaseCheck {
  const left = renewedAt + leaseMs - now;
  return {
    over: left <= timing.stopBeforeLeaseEndMs,
    graceMs: Math.max(0, Math.min(left, timing.stopBeforeLeaseEndMs) - KILL_MARGIN_MS),
  };
}
