import type { RequestContext } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import { effectiveRole, type Principal } from './principal.js';

/** One request or connection, seen from the edge. */
export interface Caller {
  principal: Principal | null;
  /** Credentials were sent but are not good: reported only where an operation needs them, so that a stale token never blocks a log-in. */
  rejection: GantryError | null;
  ip: string;
  userAgent: string;
  correlationId: string;
  traceparent?: string;
}

export function principalOf(caller: Caller): Principal {
  if (caller.principal !== null) return caller.principal;
  throw caller.rejection ?? notLoggedIn();
}

export function notLoggedIn(): GantryError {
  return new GantryError('AUTH.NOT_LOGGED_IN', 'unauthenticated', 'Log in, or send an API key.');
}

export function requestContext(caller: Caller): RequestContext {
  const { principal } = caller;
  return {
    actor:
      principal === null
        ? { kind: 'anonymous' }
        : { kind: 'user', id: principal.userId, name: principal.name, role: effectiveRole(principal) },
    correlationId: caller.correlationId,
    ...(caller.traceparent === undefined ? {} : { traceparent: caller.traceparent }),
  };
}
