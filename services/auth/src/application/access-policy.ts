import type { UserActor } from '@gantry/contracts/messaging/actor';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { GantryError } from '@gantry/kernel/gantry-error';
import { passwordChangeRequired } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { UserRecord } from '../projections/directory/directory.records.js';

const notLoggedIn = () => new GantryError('AUTH.NOT_LOGGED_IN', 'unauthenticated', 'Log in first.');
const forbidden = () =>
  new GantryError(
    'AUTH.FORBIDDEN',
    'forbidden',
    'You may only do this for yourself. Ask an admin if it has to be done.',
  );
const adminOnly = () => new GantryError('AUTH.ADMIN_ONLY', 'forbidden', 'Only an admin may do this. Ask one.');

/**
 * Who may do what, checked here as well as at the edge. The actor's role comes from a token that may be minutes old or from a
 * key that was given less than its owner's rights, so an admin must be one in the actor *and* in the directory now.
 */
export class AccessPolicy {
  constructor(private readonly directory: DirectoryProjection) {}

  requireSelf(context: RequestContext, userId: string): UserRecord {
    const user = this.known(this.userActor(context));
    if (user.id !== userId) throw forbidden();
    return user;
  }

  requireSelfOrAdmin(context: RequestContext, userId: string): void {
    const actor = this.userActor(context);
    const user = this.known(actor);
    if (user.id !== userId && !this.isAdmin(actor, user)) throw forbidden();
  }

  /** A first password has to be changed before anything is administrated. */
  requireAdmin(context: RequestContext): void {
    const actor = this.userActor(context);
    const user = this.known(actor);
    if (!this.isAdmin(actor, user)) throw adminOnly();
    if (user.mustChangePassword) throw passwordChangeRequired();
  }

  private userActor({ actor }: RequestContext): UserActor {
    if (actor.kind === 'anonymous') throw notLoggedIn();
    if (actor.kind !== 'user') throw forbidden();
    return actor;
  }

  private known(actor: UserActor): UserRecord {
    const user = this.directory.user(actor.id);
    if (user === undefined) throw notLoggedIn();
    return user;
  }

  private isAdmin(actor: UserActor, user: UserRecord): boolean {
    return actor.role === 'admin' && user.role === 'admin';
  }
}
