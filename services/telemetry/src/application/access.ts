import type { RequestContext } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';

/** The second lock behind the gateway's: a user who is no admin sees nobody else's tasks, whatever was asked. */
export function assertMaySee({ actor }: RequestContext, visibleTo: string | null): void {
  if (actor.kind === 'service') return;
  if (actor.kind === 'anonymous') {
    throw new GantryError('AUTH.REQUIRED', 'unauthenticated', 'Log in first.');
  }
  if (actor.kind === 'user' && (actor.role === 'admin' || visibleTo === actor.id)) return;
  throw new GantryError('ACCESS.FORBIDDEN', 'forbidden', 'You may look at your own tasks only.');
}
