import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { z } from 'zod';
import { roleSchema } from '@gantry/contracts/messaging/actor';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '@gantry/contracts/auth/auth-requests';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Principal } from './principal.js';

const claimsSchema = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  sid: z.string(),
  mcp: z.boolean().default(false),
});

const KEYS_FRESH_MS = 10 * 60_000;
/** A flood of tokens with made-up key ids must not become a flood of key requests. */
const REFRESH_PAUSE_MS = 5_000;

/**
 * Verifies access tokens with the auth service's public keys, kept here: no request per call. A token signed by a key
 * that is not known yet makes the keys be read again, at most every five seconds.
 */
export class AccessTokenVerifier {
  private keys: ReturnType<typeof createLocalJWKSet> | undefined;
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | undefined;

  constructor(
    private readonly fetchKeys: () => Promise<JSONWebKeySet>,
    private readonly clock: Clock,
    /** For how long the keys are known: a clock that nobody can set, or they would stay old when the time of day is set back. */
    private readonly monotonic: Clock,
  ) {}

  async verify(token: string): Promise<Principal> {
    if (this.keys === undefined) await this.refresh();
    else if (this.monotonic.now() - this.fetchedAt > KEYS_FRESH_MS) await this.refresh().catch(() => undefined);
    try {
      return await this.check(token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.monotonic.now() - this.fetchedAt < REFRESH_PAUSE_MS)
        throw refusal(error);
    }
    await this.refresh();
    try {
      return await this.check(token);
    } catch (error) {
      throw refusal(error);
    }
  }

  private async check(token: string): Promise<Principal> {
    if (this.keys === undefined) throw new Error('no keys');
    const { payload } = await jwtVerify(token, this.keys, {
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      algorithms: ['EdDSA', 'Ed25519'],
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(this.clock.now()),
    });
    return principalFrom(payload);
  }

  private refresh(): Promise<void> {
    this.fetching ??= this.fetchKeys()
      .then((keys) => {
        this.keys = createLocalJWKSet(keys);
        this.fetchedAt = this.monotonic.now();
      })
      .finally(() => {
        this.fetching = undefined;
      });
    return this.fetching;
  }
}

function principalFrom(payload: JWTPayload): Principal {
  const claims = claimsSchema.parse(payload);
  return {
    userId: claims.sub,
    name: claims.name,
    email: claims.email,
    role: claims.role,
    via: 'session',
    sessionId: claims.sid,
    scopes: null,
    mustChangePassword: claims.mcp,
    expiresAt: claims.exp * 1_000,
  };
}

function refusal(error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  if (error instanceof errors.JWTExpired) {
    return new GantryError(
      'AUTH.TOKEN_EXPIRED',
      'unauthenticated',
      'The access token has expired. Refresh it or log in again.',
    );
  }
  return new GantryError('AUTH.TOKEN_INVALID', 'unauthenticated', 'The access token is not valid. Log in again.');
}
