import { foldHistory, NOT_ITS_FAULT } from './history-fold.js';
import type { ObservedTask, Violation } from './observations.js';
import type { Beat } from './witness.js';
import type { PlannedTask } from './workload.js';

/**
 * A task's own failures use its retries, all of them and no more; lost workers, engines and networks use none. Whether a failure was
 * the task's own is not taken from the history alone: a `failing` task writes its last line just before it fails.
 */
export function checkRetries(
  { id: taskId, history }: ObservedTask,
  planned: PlannedTask | undefined,
  beats: readonly Beat[],
): Violation[] {
  if (planned === undefined) return [];
  const { failures } = foldHistory(history);
  const violations: Violation[] = [];
  const add = (rule: string, detail: string): void => void violations.push({ rule, taskId, detail });
  for (const failure of failures) {
    const own = failure.class !== NOT_ITS_FAULT;
    if (failure.usedRetry !== undefined && failure.usedRetry !== own)
      add(
        'retries-counted',
        `Attempt ${failure.attempt} ended by ${failure.class} and used ${failure.usedRetry ? 'a' : 'no'} retry.`,
      );
    if (!own || planned.kind !== 'failing') continue;
    if (!beats.some(({ attempt, kind }) => attempt === failure.attempt && kind === 'end'))
      add(
        'failure-is-real',
        `Attempt ${failure.attempt} is said to have failed by itself, but the witness lacks its end.`,
      );
    if (failure.exitCode !== 3)
      add('failure-is-real', `Attempt ${failure.attempt} is said to have ended with code ${failure.exitCode}.`);
  }
  const used = failures.filter((failure) => failure.class !== NOT_ITS_FAULT && failure.usedRetry !== undefined).length;
  const last = failures.find(({ usedRetry }) => usedRetry === undefined);
  if (used > planned.retries)
    add(
      'retries-counted',
      `It may be tried again ${planned.retries} times after failures of its own, and was ${used}.`,
    );
  if (last !== undefined && last.class !== NOT_ITS_FAULT && used < planned.retries)
    add('retries-counted', `It was given up after ${used} of its ${planned.retries} retries.`);
  return violations;
}

/** Every attempt gets the lease that the task asks for. */
export function checkLeases({ id: taskId, history }: ObservedTask, planned: PlannedTask | undefined): Violation[] {
  const asked = planned?.leaseSeconds;
  if (asked === undefined) return [];
  return [...foldHistory(history).leases].flatMap(([attempt, leaseMs]) => {
    if (leaseMs === asked * 1_000) return [];
    const detail = `Attempt ${attempt} has a lease of ${leaseMs / 1_000} s; the task asks for ${asked}.`;
    return [{ rule: 'lease-as-asked', taskId, detail }];
  });
}
