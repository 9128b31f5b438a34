import type { verifyApiKey } from '@gantry/contracts/auth/auth-requests';
import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { subjects } from '@gantry/contracts/messaging/streams';
import type { Clock } from '@gantry/kernel/clock';
import { apiKeyInvalid } from '../domain/api-key/api-key.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import { toUserView } from '../projections/directory/directory.views.js';
import { sameDigest, sha256Hex } from './digest.js';
import type { KeyUsage } from './key-usage.js';
import { parseOpaqueToken } from './opaque-token.js';

const NO_DIGEST = '0'.repeat(64);

/** Anybody may ask: knowing the key is the permission. Answers from memory alone. */
export class VerifyApiKeyHandler {
  constructor(
    private readonly directory: DirectoryProjection,
    private readonly keyUsage: KeyUsage,
    private readonly clock: Clock,
    private readonly isUnreadable: (subject: string) => boolean,
  ) {}

  handle(input: ParsedInputOf<typeof verifyApiKey>): OutputOf<typeof verifyApiKey> {
    const token = parseOpaqueToken('gtk', input.key);
    const record = token === undefined ? undefined : this.directory.apiKey(token.id);
    const matches = sameDigest(record?.secretHash ?? NO_DIGEST, sha256Hex(token?.secret ?? ''));
    const user = record === undefined ? undefined : this.directory.user(record.userId);
    if (record === undefined || user === undefined || !matches) throw apiKeyInvalid();
    const now = this.clock.now();
    // What could not be read may be its revocation.
    if (this.isUnreadable(subjects.authKey(record.id))) throw apiKeyInvalid();
    if (record.revokedAt !== null || (record.expiresAt !== null && record.expiresAt <= now)) throw apiKeyInvalid();
    this.keyUsage.touch(record.id, now);
    // An owner who is no admin any more takes the scope away from older keys, too.
    const scopes = record.scopes.filter((scope) => scope !== 'admin' || user.role === 'admin');
    return { user: toUserView(user), keyId: record.id, scopes };
  }
}
