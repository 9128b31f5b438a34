import type { changePassword, UserView } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { passwordUnchanged, wrongCurrentPassword } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { UserRecord } from '../projections/directory/directory.records.js';
import { toUserView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';
import type { LogInGuard } from './log-in-guard.js';
import type { PasswordHasher } from './password-hasher.port.js';

type ChangePassword = ParsedInputOf<typeof changePassword>;

/**
 * Guarded like a log-in, so that a stolen access token cannot be used to guess the password, and in turn with the
 * account's log-ins, so that none with the old password slips in between.
 */
export class ChangePasswordHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
    private readonly guard: LogInGuard,
    private readonly hasher: PasswordHasher,
  ) {}

  async handle(input: ChangePassword, context: RequestContext): Promise<UserView> {
    const { email } = this.access.requireSelf(context, input.userId);
    return this.guard.inTurn(email, () => this.change(input, context));
  }

  private async change(input: ChangePassword, context: RequestContext): Promise<UserView> {
    const user = this.access.requireSelf(context, input.userId);
    await this.verifyCurrent(user, input.currentPassword, context);
    if (input.newPassword === input.currentPassword) throw passwordUnchanged();
    const passwordHash = await this.hasher.hash(input.newPassword);
    // Sessions first: a crash in between leaves the user to log in again, the other order would leave a thief's session alive.
    await this.endOtherSessions(user.id, input.sessionId, context);
    await this.aggregates.user(
      user.id,
      { type: 'ChangePassword', passwordHash, at: this.aggregates.now() },
      this.aggregates.origin(context),
    );
    return toUserView(this.access.requireSelf(context, user.id));
  }

  private async verifyCurrent(user: UserRecord, currentPassword: string, context: RequestContext): Promise<void> {
    this.guard.checkAccount(user.failedLogIns);
    if (await this.hasher.verify(user.passwordHash, currentPassword)) return;
    const at = this.aggregates.now();
    await this.aggregates.user(user.id, { type: 'RecordFailedLogIn', ip: '', at }, this.aggregates.origin(context));
    throw wrongCurrentPassword();
  }

  private async endOtherSessions(userId: string, kept: string | undefined, context: RequestContext): Promise<void> {
    for (const session of this.directory.sessionsOf(userId)) {
      if (session.id === kept) continue;
      await this.aggregates.session(
        session.id,
        { type: 'EndSession', reason: 'password_changed', at: this.aggregates.now() },
        this.aggregates.origin(context),
      );
    }
  }
}
