import type { UserView } from '@gantry/contracts/auth/auth-requests';

export interface AccessTokenRequest {
  readonly user: UserView;
  readonly sessionId: string;
  /** Epoch milliseconds; the token holds whole seconds, rounded down. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface TokenSigner {
  sign(request: AccessTokenRequest): Promise<string>;
  /** RFC 7517, public parts only. */
  publicKeys(): readonly Record<string, unknown>[];
}
