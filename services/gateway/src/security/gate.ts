import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { accessOf, authorise, type Access, type Throttle } from './authorisation.js';
import type { Caller } from './caller.js';
import { TooManyRequestsError } from './too-many-requests.error.js';

export interface GateLimits {
  credentialsPerMinute: number;
  generalPerMinute: number;
}

const perMinute = (points: number) => new RateLimiterMemory({ points, duration: 60 });

/**
 * Every door goes through here: rate first (also for the refused), then right. The doors share their counters, so that
 * guessing by REST and by GraphQL at once gains nothing, and each field of a GraphQL document counts.
 */
export class Gate {
  private readonly limiters: Readonly<Record<Throttle, RateLimiterMemory>>;

  constructor(limits: GateLimits) {
    this.limiters = {
      credentials: perMinute(limits.credentialsPerMinute),
      refresh: perMinute(limits.credentialsPerMinute * 5),
      general: perMinute(limits.generalPerMinute),
    };
  }

  async pass(access: Access, caller: Caller): Promise<void> {
    const key = access.throttle === 'general' ? (caller.principal?.userId ?? caller.ip) : caller.ip;
    await this.limiters[access.throttle].consume(key).catch(refuse);
    authorise(access, caller);
  }

  async passOperation(operation: string, caller: Caller): Promise<void> {
    await this.pass(accessOf(operation), caller);
  }
}

function refuse(thrown: unknown): never {
  if (!(thrown instanceof RateLimiterRes)) throw thrown;
  throw new TooManyRequestsError(Math.max(1, Math.ceil(thrown.msBeforeNext / 1_000)));
}
