import { GantryError } from '@gantry/kernel/gantry-error';
import { ZodError } from 'zod';

export const FIRST_RETRY_MS = 100;
export const LONGEST_RETRY_MS = 10_000;
/** An outage of a part is no fault of the message: it gets this many times as many tries. */
export const OUTAGE_PATIENCE = 10;

/**
 * - `hopeless`: the same message can never work (refused by the domain, or not what its schema says).
 * - `outage`: a part is unavailable; the message will work when it is back.
 * - `failure`: anything else; worth some tries.
 */
export type FailureKind = 'hopeless' | 'outage' | 'failure';

export function failureKind(error: unknown): FailureKind {
  if (error instanceof ZodError || error instanceof SyntaxError) return 'hopeless';
  if (!(error instanceof GantryError)) return 'failure';
  if (!error.retryable) return 'hopeless';
  return error.kind === 'unavailable' ? 'outage' : 'failure';
}

/** The first failure and then each doubling: a long outage must not flood the log. */
export function isWorthLogging(failures: number): boolean {
  return (failures & (failures - 1)) === 0;
}

export function stoppingError(): GantryError {
  return new GantryError('SERVICE.STOPPING', 'unavailable', 'The service is being stopped. Try again in a moment.');
}
