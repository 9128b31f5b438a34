import type { Role } from '@gantry/contracts/messaging/actor';
import type { Scope } from '@gantry/contracts/auth/auth-requests';

/** Somebody whose credentials were verified. */
export interface Principal {
  userId: string;
  name: string;
  email: string;
  role: Role;
  via: 'session' | 'api_key' | 'ticket';
  sessionId: string | null;
  /** What an API key or a ticket may do; null = all that the role may (a log-in). */
  scopes: readonly Scope[] | null;
  mustChangePassword: boolean;
  /** Epoch milliseconds after which the credentials are no longer good; null = no own end. */
  expiresAt: number | null;
}

/** An administrator's key without the scope `admin` acts as a plain user. */
export function effectiveRole(principal: Principal): Role {
  if (principal.role !== 'admin') return principal.role;
  return principal.scopes === null || principal.scopes.includes('admin') ? 'admin' : 'user';
}

/** The `visibleTo` of every task query: null = all tasks. */
export function visibleTo(principal: Principal): string | null {
  return effectiveRole(principal) === 'admin' ? null : principal.userId;
}
