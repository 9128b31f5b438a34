import type { ApiKeyView, SessionView, UserView } from '@gantry/contracts/auth/auth-requests';
import type { ApiKeyRecord, SessionRecord, UserRecord } from './directory.records.js';

/** Picks field by field: a secret's hash added to a record later can't slip into an answer. */
export function toUserView(user: UserRecord): UserView {
  const { id, email, name, role, mustChangePassword, createdAt, lastLogInAt } = user;
  return { id, email, name, role, mustChangePassword, createdAt, lastLogInAt };
}

export function toSessionView(session: SessionRecord): SessionView {
  const { id, userId, ip, userAgent, startedAt, lastActiveAt, expiresAt } = session;
  return { id, userId, ip, userAgent, startedAt, lastActiveAt, expiresAt };
}

export function toApiKeyView(key: ApiKeyRecord, lastUsedAt: number | null): ApiKeyView {
  const { id, userId, name, prefix, scopes, createdAt, expiresAt, revokedAt } = key;
  return { id, userId, name, prefix, scopes: [...scopes], createdAt, expiresAt, lastUsedAt, revokedAt };
}
