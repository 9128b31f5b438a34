import { GantryError } from '@gantry/kernel/gantry-error';
import type { AccessTokenVerifier } from './access-token.verifier.js';
import type { ApiKeyVerifier } from './api-key.verifier.js';
import type { Principal } from './principal.js';

const API_KEY_PREFIX = 'gtk_';
const MAX_CREDENTIAL_LENGTH = 8_192;

export interface Credentials {
  authorization?: string | undefined;
  apiKey?: string | undefined;
}

/** Credentials in, principal out; null when none were sent. */
export class Authenticator {
  constructor(
    private readonly tokens: Pick<AccessTokenVerifier, 'verify'>,
    private readonly keys: Pick<ApiKeyVerifier, 'verify'>,
  ) {}

  async authenticate({ authorization, apiKey }: Credentials): Promise<Principal | null> {
    const credential = apiKey ?? bearerOf(authorization);
    if (credential === undefined) return null;
    if (credential === '' || credential.length > MAX_CREDENTIAL_LENGTH) {
      throw new GantryError('AUTH.TOKEN_INVALID', 'unauthenticated', 'The credentials are not valid. Log in again.');
    }
    return credential.startsWith(API_KEY_PREFIX) ? this.keys.verify(credential) : this.tokens.verify(credential);
  }
}

function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization === '') return undefined;
  const match = /^Bearer +(\S+) *$/i.exec(authorization);
  if (match?.[1] !== undefined) return match[1];
  throw new GantryError('AUTH.TOKEN_INVALID', 'unauthenticated', 'Send the header as "Authorization: Bearer <token>".');
}
