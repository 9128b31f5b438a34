import type { createApiKey } from '@gantry/contracts/auth/auth-requests';
import type { OutputOf, ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { apiKeyNotFound } from '../domain/api-key/api-key.errors.js';
import { passwordChangeRequired } from '../domain/user/user.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import { toApiKeyView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { sha256Hex } from './digest.js';
import { formatOpaqueToken } from './opaque-token.js';
import type { SecretSource } from './secret-source.port.js';

/** `gtk_` and the part of the id that differs between keys made in the same minute. */
const SHOWN_PREFIX_LENGTH = 17;

/** A key has 256 random bits, so one SHA-256 protects it as well as a slow hash and costs a request nothing. */
export class CreateApiKeyHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
    private readonly secrets: SecretSource,
  ) {}

  async handle(
    input: ParsedInputOf<typeof createApiKey>,
    context: RequestContext,
  ): Promise<OutputOf<typeof createApiKey>> {
    const owner = this.access.requireSelf(context, input.userId);
    // A key would let its owner go on for ever without changing the first password.
    if (owner.mustChangePassword) throw passwordChangeRequired();
    const at = this.aggregates.now();
    const keyId = this.aggregates.newId();
    const secret = this.secrets.next();
    const key = formatOpaqueToken('gtk', { id: keyId, secret });
    const isActive = (known: { revokedAt: number | null; expiresAt: number | null }) =>
      known.revokedAt === null && (known.expiresAt === null || known.expiresAt > at);
    await this.aggregates.apiKey(
      keyId,
      {
        type: 'CreateApiKey',
        keyId,
        userId: owner.id,
        // The actor's role can be less than the owner's: a key without admin rights must not make one that has them.
        ownerRole: context.actor.kind === 'user' && context.actor.role === 'admin' ? owner.role : 'user',
        activeKeys: this.directory.apiKeysOf(owner.id).filter(isActive).length,
        name: input.name,
        prefix: key.slice(0, SHOWN_PREFIX_LENGTH),
        secretHash: sha256Hex(secret),
        scopes: input.scopes,
        expiresAt: input.expiresAt ?? null,
        at,
      },
      this.aggregates.origin(context),
    );
    const record = this.directory.apiKey(keyId);
    if (record === undefined) throw apiKeyNotFound();
    return { key, apiKey: toApiKeyView(record, null) };
  }
}
