import type { TokenPair } from '@gantry/contracts/auth/auth-requests';
import type { UserRecord } from '../projections/directory/directory.records.js';
import { toUserView } from '../projections/directory/directory.views.js';
import { formatOpaqueToken } from './opaque-token.js';
import type { TokenSigner } from './token-signer.port.js';

const ACCESS_TOKEN_LIFETIME_MS = 10 * 60_000;

export interface SessionTokens {
  readonly sessionId: string;
  readonly refreshSecret: string;
  readonly sessionExpiresAt: number;
}

/** Makes the pair of tokens of a session. The access token never outlives the session's absolute end. */
export class TokenIssuer {
  constructor(private readonly signer: TokenSigner) {}

  async issue(record: UserRecord, session: SessionTokens, now: number): Promise<TokenPair> {
    const user = toUserView(record);
    const { sessionId, refreshSecret, sessionExpiresAt } = session;
    const accessTokenExpiresAt = Math.min(now + ACCESS_TOKEN_LIFETIME_MS, sessionExpiresAt);
    return {
      accessToken: await this.signer.sign({ user, sessionId, issuedAt: now, expiresAt: accessTokenExpiresAt }),
      accessTokenExpiresAt,
      refreshToken: formatOpaqueToken('gtr', { id: sessionId, secret: refreshSecret }),
      refreshTokenExpiresAt: sessionExpiresAt,
      user,
    };
  }
}
