import type { Clock } from '@gantry/kernel/clock';
import { accessOf, authorise, type Access } from './authorisation.js';
import type { Caller } from './caller.js';
import { RateLimiter } from './rate-limiter.js';

export interface GateLimits {
  credentialsPerMinute: number;
  generalPerMinute: number;
}

/** Every door goes through here: rate first (also for the refused), then right. */
export class Gate {
  private readonly credentials: RateLimiter;
  private readonly refresh: RateLimiter;
  private readonly general: RateLimiter;

  constructor(limits: GateLimits, clock: Clock) {
    this.credentials = new RateLimiter(limits.credentialsPerMinute, clock);
    this.refresh = new RateLimiter(limits.credentialsPerMinute * 5, clock);
    this.general = new RateLimiter(limits.generalPerMinute, clock);
  }

  pass(access: Access, caller: Caller): void {
    if (access.throttle === 'general') this.general.take(caller.principal?.userId ?? caller.ip);
    else this[access.throttle].take(caller.ip);
    authorise(access, caller);
  }

  passOperation(operation: string, caller: Caller): void {
    this.pass(accessOf(operation), caller);
  }
}
