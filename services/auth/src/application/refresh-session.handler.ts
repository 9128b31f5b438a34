import type { refreshSession, TokenPair } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { refreshTokenInvalid, sessionEnded, tokenReused } from '../domain/session/session.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { sha256Hex } from './digest.js';
import { parseOpaqueToken } from './opaque-token.js';
import type { SecretSource } from './secret-source.port.js';
import type { TokenIssuer } from './token-issuer.js';

/** Holding the refresh token is the permission; the new access token shows the user's role and name as they are now. */
export class RefreshSessionHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly secrets: SecretSource,
    private readonly tokens: TokenIssuer,
  ) {}

  async handle(input: ParsedInputOf<typeof refreshSession>, context: RequestContext): Promise<TokenPair> {
    const { ip, userAgent } = input;
    const token = parseOpaqueToken('gtr', input.refreshToken);
    if (token === undefined) throw refreshTokenInvalid();
    // Ended sessions are not in the directory. Answering from memory keeps a flood of made-up tokens away from the store.
    if (this.directory.session(token.id) === undefined) throw sessionEnded();
    const refreshSecret = this.secrets.next();
    const at = this.aggregates.now();
    const session = await this.aggregates.session(
      token.id,
      {
        type: 'RefreshSession',
        presentedHash: sha256Hex(token.secret),
        nextHash: sha256Hex(refreshSecret),
        ip,
        userAgent,
        at,
      },
      this.aggregates.origin(context),
    );
    if (session.status === 'none') throw refreshTokenInvalid();
    if (session.status === 'ended') throw session.reason === 'token_reused' ? tokenReused() : sessionEnded();
    const user = this.directory.user(session.userId);
    if (user === undefined) throw refreshTokenInvalid();
    return this.tokens.issue(user, { sessionId: token.id, refreshSecret, sessionExpiresAt: session.expiresAt }, at);
  }
}
