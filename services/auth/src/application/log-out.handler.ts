import type { logOut } from '@gantry/contracts/auth/auth-requests';
import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';
import { sha256Hex } from './digest.js';
import { parseOpaqueToken } from './opaque-token.js';

/** Always succeeds: whoever logs out wants the session gone, and a token that is not good (any more) has none. */
export class LogOutHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
  ) {}

  async handle(input: ParsedInputOf<typeof logOut>, context: RequestContext): Promise<Record<string, never>> {
    const token = parseOpaqueToken('gtr', input.refreshToken);
    if (token !== undefined && this.directory.session(token.id) !== undefined) {
      await this.aggregates.session(
        token.id,
        { type: 'LogOut', presentedHash: sha256Hex(token.secret), at: this.aggregates.now() },
        this.aggregates.origin(context),
      );
    }
    return {};
  }
}
