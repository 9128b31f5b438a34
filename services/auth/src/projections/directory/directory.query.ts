import type { getProfile, listApiKeys, listSessions, listUsers, UserView } from '@gantry/contracts/auth/auth-requests';
import type { OutputOf, ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { Clock } from '@gantry/kernel/clock';
import type { AccessPolicy } from '../../application/access-policy.js';
import type { KeyUsage } from '../../application/key-usage.js';
import { userNotFound } from '../../domain/user/user.errors.js';
import type { DirectoryProjection } from './directory.projection.js';
import { toApiKeyView, toSessionView, toUserView } from './directory.views.js';

/** Everything that is only read. Users see themselves, admins see everybody. */
export class DirectoryQuery {
  constructor(
    private readonly directory: DirectoryProjection,
    private readonly access: AccessPolicy,
    private readonly keyUsage: KeyUsage,
    private readonly clock: Clock,
  ) {}

  profile(input: ParsedInputOf<typeof getProfile>, context: RequestContext): UserView {
    this.access.requireSelfOrAdmin(context, input.userId);
    const user = this.directory.user(input.userId);
    if (user === undefined) throw userNotFound();
    return toUserView(user);
  }

  users(input: ParsedInputOf<typeof listUsers>, context: RequestContext): OutputOf<typeof listUsers> {
    this.access.requireAdmin(context);
    const all = this.directory.allUsers();
    const from = input.after === undefined ? 0 : all.findIndex((user) => user.id === input.after) + 1;
    if (input.after !== undefined && from === 0) throw userNotFound();
    const page = all.slice(from, from + input.limit);
    const next = from + page.length < all.length ? (page.at(-1)?.id ?? null) : null;
    return { users: page.map(toUserView), next };
  }

  sessions(input: ParsedInputOf<typeof listSessions>, context: RequestContext): OutputOf<typeof listSessions> {
    this.access.requireSelfOrAdmin(context, input.userId);
    const now = this.clock.now();
    const active = this.directory.sessionsOf(input.userId).filter((session) => session.expiresAt > now);
    return { sessions: active.map(toSessionView) };
  }

  /** Revoked and expired keys too: they show what was possible once. */
  apiKeys(input: ParsedInputOf<typeof listApiKeys>, context: RequestContext): OutputOf<typeof listApiKeys> {
    this.access.requireSelfOrAdmin(context, input.userId);
    const keys = this.directory.apiKeysOf(input.userId);
    return { apiKeys: keys.map((key) => toApiKeyView(key, this.keyUsage.lastUsedAt(key.id))) };
  }
}
