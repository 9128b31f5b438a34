const MINUTE = 60_000;

/**
 * How failed log-ins slow an account down. Failures older than the window are forgotten; the fifth failure inside it
 * locks the account for 30 s, and each further one doubles the time. That leaves a guesser about ten tries in a quarter of
 * an hour, while a person who mistypes waits half a minute.
 */
export const throttle = {
  windowMs: 15 * MINUTE,
  failuresUntilLock: 5,
  firstLockMs: 30_000,
  longestLockMs: 15 * MINUTE,
} as const;

/** More than the lock lets happen inside one window: only bounds memory. */
const REMEMBERED_FAILURES = 32;

/** Adds a failure to the times of earlier ones, dropping those that left the window. */
export function addFailure(failures: readonly number[], at: number): readonly number[] {
  return [...failures.filter((time) => time > at - throttle.windowMs), at].slice(-REMEMBERED_FAILURES);
}

/** Epoch milliseconds until which tries are refused; 0 = not locked. `failures` as `addFailure` leaves them. */
export function lockedUntil(failures: readonly number[]): number {
  const last = failures.at(-1);
  const excess = failures.length - throttle.failuresUntilLock;
  if (last === undefined || excess < 0) return 0;
  return last + Math.min(throttle.firstLockMs * 2 ** excess, throttle.longestLockMs);
}
