import type { revokeSession } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { sessionNotFound } from '../domain/session/session.errors.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AccessPolicy } from './access-policy.js';
import type { AuthAggregates } from './auth-aggregates.js';

/** Access tokens of the session stay good until they run out (at most ten minutes): nobody asks this service about them. */
export class RevokeSessionHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
  ) {}

  async handle(input: ParsedInputOf<typeof revokeSession>, context: RequestContext): Promise<Record<string, never>> {
    this.access.requireSelfOrAdmin(context, input.userId);
    const session = this.directory.session(input.sessionId);
    if (session === undefined || session.userId !== input.userId) throw sessionNotFound();
    await this.aggregates.session(
      session.id,
      { type: 'EndSession', reason: 'revoked', at: this.aggregates.now() },
      this.aggregates.origin(context),
    );
    return {};
  }
}
