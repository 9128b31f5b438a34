import { GantryError } from '@gantry/kernel/gantry-error';

/** Carries when the next call may work, for the header `retry-after`. */
export class TooManyRequestsError extends GantryError {
  constructor(readonly retryAfterSeconds: number) {
    super('LIMIT.TOO_MANY_REQUESTS', 'limit', `Too many requests. Try again in ${retryAfterSeconds} s.`, {
      retryable: true,
    });
  }
}
