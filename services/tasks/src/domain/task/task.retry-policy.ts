import { MAX_MEMORY_MB } from '@gantry/contracts/resources';
import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';

const BASE_MS = 1_000;
const CAP_MS = 5 * 60_000;

/** Failures that are not the task's fault end it after this many, so that a broken fleet does not run it for ever. */
export const MAX_INFRASTRUCTURE_FAILURES = 10;

/**
 * Wait before the next try in milliseconds: exponential with equal jitter, i.e. between half of and the full
 * `min(cap, base * 2^earlier)`. `earlier`: how many tries were made again already; `jitter` in [0, 1).
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 */
export function backOffMs(earlier: number, jitter: number): number {
  const full = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(earlier, 30));
  return Math.round(full / 2 + (full / 2) * jitter);
}

/** The first infrastructure failure is tried again at once (another worker will do), later ones back off. */
export function infrastructureBackOffMs(earlierFailures: number, jitter: number): number {
  return earlierFailures === 0 ? 0 : backOffMs(earlierFailures - 1, jitter);
}

/**
 * Memory in MiB of the attempt after one that had `memoryMb` and ran out of it: as much again or more, never less, so a limit below
 * what the task asked for only means that it does not grow.
 */
export function memoryAfterOom(
  memoryMb: number,
  spec: Pick<TaskSpec, 'retryMemoryFactor' | 'retryMemoryMaxMb'>,
): number {
  const { retryMemoryFactor = 1, retryMemoryMaxMb = MAX_MEMORY_MB } = spec;
  return Math.max(memoryMb, Math.min(Math.ceil(memoryMb * retryMemoryFactor), retryMemoryMaxMb));
}
