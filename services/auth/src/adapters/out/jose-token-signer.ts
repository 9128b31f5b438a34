import { createPublicKey, type KeyObject } from 'node:crypto';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '@gantry/contracts/auth/auth-requests';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';
import type { AccessTokenRequest, TokenSigner } from '../../application/token-signer.port.js';

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** EdDSA: short tokens, fast checks, and whoever checks them cannot make them. */
export class JoseTokenSigner implements TokenSigner {
  private constructor(
    private readonly privateKey: KeyObject,
    private readonly publicJwk: JWK & { kid: string },
  ) {}

  static async create(privateKey: KeyObject): Promise<JoseTokenSigner> {
    const { kty, crv, x } = await exportJWK(createPublicKey(privateKey));
    const publicPart = { kty, crv, x } as JWK;
    const kid = await calculateJwkThumbprint(publicPart);
    return new JoseTokenSigner(privateKey, { ...publicPart, kid, alg: 'EdDSA', use: 'sig' });
  }

  sign({ user, sessionId, issuedAt, expiresAt }: AccessTokenRequest): Promise<string> {
    return new SignJWT({
      name: user.name,
      email: user.email,
      role: user.role,
      sid: sessionId,
      mcp: user.mustChangePassword,
    })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.publicJwk.kid, typ: 'JWT' })
      .setSubject(user.id)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt(seconds(issuedAt))
      .setExpirationTime(seconds(expiresAt))
      .sign(this.privateKey);
  }

  publicKeys(): readonly Record<string, unknown>[] {
    return [{ ...this.publicJwk }];
  }
}
