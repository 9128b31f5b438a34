import type { logIn, TokenPair } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { wrongCredentials } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';
import type { LogInGuard } from './log-in-guard.js';
import type { PasswordHasher } from './password-hasher.port.js';
import type { SessionStarter } from './session-starter.js';

type LogIn = ParsedInputOf<typeof logIn>;

/**
 * Errors: `AUTH.WRONG_CREDENTIALS`, `AUTH.TOO_MANY_ATTEMPTS`, `AUTH.BUSY`. An unknown address takes the same path as a wrong
 * password: the same locks, one hash, the same words.
 */
export class LogInHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly guard: LogInGuard,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionStarter,
  ) {}

  async handle(input: LogIn, context: RequestContext): Promise<TokenPair> {
    this.guard.checkNetwork(input.ip);
    return this.guard.inTurn(input.email, () => this.attempt(input, context));
  }

  private async attempt(input: LogIn, context: RequestContext): Promise<TokenPair> {
    const { email, password, ip } = input;
    const user = this.directory.userByEmail(email);
    this.guard.checkAccount(user?.failedLogIns ?? this.guard.failuresOfUnknown(email));
    const matches = await this.hasher.verify(user?.passwordHash, password);
    if (user === undefined || !matches) {
      this.guard.recordNetwork(ip);
      if (user === undefined) this.guard.recordUnknown(email);
      else
        await this.aggregates.user(
          user.id,
          { type: 'RecordFailedLogIn', ip, at: this.aggregates.now() },
          this.aggregates.origin(context),
        );
      throw wrongCredentials();
    }
    const { id, name, role } = user;
    return this.sessions.start(id, input, () => this.aggregates.origin(context, { kind: 'user', id, name, role }));
  }
}
