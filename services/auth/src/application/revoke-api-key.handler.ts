import type { ApiKeyView, revokeApiKey } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { apiKeyNotFound } from '../domain/api-key/api-key.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import { toApiKeyView } from '../projections/directory/directory.views.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';
import type { KeyUsage } from './key-usage.js';

export class RevokeApiKeyHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
    private readonly keyUsage: KeyUsage,
  ) {}

  async handle(input: ParsedInputOf<typeof revokeApiKey>, context: RequestContext): Promise<ApiKeyView> {
    const { userId, keyId } = input;
    this.access.requireSelfOrAdmin(context, userId);
    // Ids come from outside: one that is not in the directory must not reach the store as part of a subject.
    if (this.directory.apiKey(keyId) === undefined) throw apiKeyNotFound();
    await this.aggregates.apiKey(
      keyId,
      { type: 'RevokeApiKey', userId, at: this.aggregates.now() },
      this.aggregates.origin(context),
    );
    const record = this.directory.apiKey(keyId);
    if (record === undefined) throw apiKeyNotFound();
    return toApiKeyView(record, this.keyUsage.lastUsedAt(keyId));
  }
}
