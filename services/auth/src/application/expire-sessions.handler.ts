import type { DirectoryProjection } from '../projections/directory/directory.projection.js';
import type { AuthAggregates } from './auth-aggregates.js';

/** Bounds one sweep; what is left over is ended by the next. */
const MAX_PER_SWEEP = 500;

/** Ends the sessions whose time is over, so that they leave every list and all memory. Replicas may sweep at the same time. */
export class ExpireSessionsHandler {
  constructor(
    private readonly aggregates: AuthAggregates,
    private readonly directory: DirectoryProjection,
  ) {}

  /** How many were ended. */
  async handle(): Promise<number> {
    const at = this.aggregates.now();
    const expired = this.directory.sessionsExpiredBy(at, MAX_PER_SWEEP);
    for (const session of expired) {
      await this.aggregates.session(session.id, { type: 'ExpireSession', at }, this.aggregates.ownOrigin());
    }
    return expired.length;
  }
}
