import type { TokenPair } from '@gantry/contracts/auth/auth-requests';
import type { CommandOrigin } from '@gantry/event-sourcing/command-handler';
import { sessionPolicy } from '../domain/session/session.policy.js';
import { userNotFound } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { sha256Hex } from './digest.js';
import type { SecretSource } from './secret-source.port.js';
import type { TokenIssuer } from './token-issuer.js';

/** Starts a session for a user whose password was just verified. */
export class SessionStarter {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly secrets: SecretSource,
    private readonly tokens: TokenIssuer,
  ) {}

  async start(
    userId: string,
    client: { ip: string; userAgent: string },
    newOrigin: () => CommandOrigin,
  ): Promise<TokenPair> {
    await this.makeRoom(userId, newOrigin);
    const at = this.aggregates.now();
    const sessionId = this.aggregates.newId();
    const refreshSecret = this.secrets.next();
    await this.aggregates.session(
      sessionId,
      {
        type: 'StartSession',
        sessionId,
        userId,
        tokenHash: sha256Hex(refreshSecret),
        ip: client.ip,
        userAgent: client.userAgent,
        at,
      },
      newOrigin(),
    );
    const user = this.directory.user(userId);
    if (user === undefined) throw userNotFound();
    return this.tokens.issue(user, { sessionId, refreshSecret, sessionExpiresAt: at + sessionPolicy.lifetimeMs }, at);
  }

  private async makeRoom(userId: string, newOrigin: () => CommandOrigin): Promise<void> {
    const sessions = [...this.directory.sessionsOf(userId)].sort((a, b) => a.lastActiveAt - b.lastActiveAt);
    const excess = sessions.slice(0, Math.max(0, sessions.length + 1 - sessionPolicy.maxPerUser));
    for (const session of excess) {
      await this.aggregates.session(
        session.id,
        { type: 'EndSession', reason: 'revoked', at: this.aggregates.now() },
        newOrigin(),
      );
    }
  }
}
