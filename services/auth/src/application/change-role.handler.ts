import type { changeRole, UserView } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { userNotFound } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import { toUserView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { KeyedTurns } from './keyed-turns.js';

/**
 * "Never without an admin" spans users, so role changes run one at a time and each sees what the one before did. Between
 * replicas only the time until the directory catches up (milliseconds) is open.
 */
export class ChangeRoleHandler {
  private readonly turns = new KeyedTurns(100);

  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
  ) {}

  async handle(input: ParsedInputOf<typeof changeRole>, context: RequestContext): Promise<UserView> {
    return this.turns.run('roles', async () => {
      this.access.requireAdmin(context);
      const { userId, role } = input;
      // Ids come from outside: one that is not in the directory must not reach the store as part of a subject.
      if (this.directory.user(userId) === undefined) throw userNotFound();
      const otherAdmins = this.directory.adminsBeside(userId);
      const at = this.aggregates.now();
      await this.aggregates.user(
        userId,
        { type: 'ChangeRole', role, otherAdmins, at },
        this.aggregates.origin(context),
      );
      const user = this.directory.user(userId);
      if (user === undefined) throw userNotFound();
      return toUserView(user);
    });
  }
}
