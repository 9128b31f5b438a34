import { type AuthEvent, authEventSchemas } from '@gantry/contracts/auth/auth-events';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { assertNever } from '@gantry/kernel/assert-never';
import { GantryError } from '@gantry/kernel/gantry-error';
import { addFailure } from '../../domain/user/log-in-throttle.js';
import type { ApiKeyRecord, SessionRecord, UserRecord } from './directory.records.js';
import { GroupedRecords } from './grouped-records.js';

const REACH_TIMEOUT_MS = 5_000;

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
}

/**
 * All users, active sessions and API keys, in memory, folded from the AUTH stream by its one follower. Only the follower
 * writes; who appended waits with `reached` until its own commit has come back, so every answer shows its own effect.
 */
export class DirectoryProjection {
  /** In the order of registration. */
  private readonly users = new Map<string, UserRecord>();
  private readonly userIdByEmail = new Map<string, string>();
  private readonly sessions = new GroupedRecords<SessionRecord>();
  private readonly apiKeys = new GroupedRecords<ApiKeyRecord>();
  private waiters: Waiter[] = [];
  private sequence = 0;

  /** Stream sequence of the newest commit taken in. */
  get appliedSequence(): number {
    return this.sequence;
  }

  /**
   * A commit that came before (redelivery, replay) changes nothing, unless it is `late`: held aside until now. Throws, before anything
   * is changed, if it holds an event of a newer version.
   */
  apply(stored: StoredCommit<AuthEvent>, late = false): void {
    if (stored.streamSequence <= this.sequence && !late) return;
    for (const { type } of stored.commit.events) if (!(type in authEventSchemas)) throw unknownEvent(type);
    for (const event of stored.commit.events) this.evolve(event);
    this.sequence = Math.max(this.sequence, stored.streamSequence);
    const due = this.waiters.filter((waiter) => waiter.sequence <= this.sequence);
    if (due.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.sequence > this.sequence);
    for (const waiter of due) waiter.resolve();
  }

  /** Resolves once the commit at `sequence` is taken in. Fails after 5 s: the commit is stored all the same. */
  async reached(sequence: number): Promise<void> {
    if (sequence <= this.sequence) return;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        sequence,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        reject(
          new GantryError(
            'AUTH.DIRECTORY_BEHIND',
            'unavailable',
            'The change is stored but not visible yet. Look again in a moment.',
          ),
        );
      }, REACH_TIMEOUT_MS);
      this.waiters.push(waiter);
    });
  }

  user(userId: string): UserRecord | undefined {
    return this.users.get(userId);
  }

  userByEmail(email: string): UserRecord | undefined {
    const userId = this.userIdByEmail.get(email);
    return userId === undefined ? undefined : this.users.get(userId);
  }

  /** In the order of registration. */
  allUsers(): readonly UserRecord[] {
    return [...this.users.values()];
  }

  adminsBeside(userId: string): number {
    let count = 0;
    for (const user of this.users.values()) if (user.role === 'admin' && user.id !== userId) count += 1;
    return count;
  }

  hasAdmin(): boolean {
    return this.adminsBeside('') > 0;
  }

  session(sessionId: string): SessionRecord | undefined {
    return this.sessions.get(sessionId);
  }

  sessionsOf(userId: string): readonly SessionRecord[] {
    return this.sessions.ofUser(userId);
  }

  sessionsExpiredBy(now: number, limit: number): readonly SessionRecord[] {
    const expired: SessionRecord[] = [];
    for (const session of this.sessions.all()) {
      if (session.expiresAt > now) continue;
      expired.push(session);
      if (expired.length === limit) break;
    }
    return expired;
  }

  apiKey(keyId: string): ApiKeyRecord | undefined {
    return this.apiKeys.get(keyId);
  }

  apiKeysOf(userId: string): readonly ApiKeyRecord[] {
    return this.apiKeys.ofUser(userId);
  }

  private evolve(event: AuthEvent): void {
    switch (event.type) {
      case 'EmailReserved':
        return;
      case 'UserRegistered': {
        const { userId, at, ...data } = event.data;
        this.users.set(userId, { id: userId, ...data, createdAt: at, lastLogInAt: null, failedLogIns: [] });
        this.userIdByEmail.set(data.email, userId);
        return;
      }
      case 'ProfileUpdated':
        return this.updateUser(event.data.userId, () => ({ name: event.data.name }));
      case 'PasswordChanged':
        return this.updateUser(event.data.userId, () => ({
          passwordHash: event.data.passwordHash,
          mustChangePassword: false,
        }));
      case 'RoleChanged':
        return this.updateUser(event.data.userId, () => ({ role: event.data.role }));
      case 'LogInFailed':
        return this.updateUser(event.data.userId, (user) => ({
          failedLogIns: addFailure(user.failedLogIns, event.data.at),
        }));
      case 'SessionStarted': {
        const { sessionId, userId, ip, userAgent, expiresAt, at } = event.data;
        this.sessions.set({ id: sessionId, userId, ip, userAgent, startedAt: at, lastActiveAt: at, expiresAt });
        // What was held aside comes after newer ones.
        return this.updateUser(userId, ({ lastLogInAt, failedLogIns }) => ({
          lastLogInAt: Math.max(lastLogInAt ?? 0, at),
          failedLogIns: failedLogIns.filter((failed) => failed > at),
        }));
      }
      case 'SessionRefreshed': {
        const { sessionId, ip, userAgent, at } = event.data;
        return this.sessions.update(sessionId, { ip, userAgent, lastActiveAt: at });
      }
      case 'SessionEnded':
        return this.sessions.delete(event.data.sessionId);
      case 'ApiKeyCreated': {
        const { keyId, at, ...data } = event.data;
        return this.apiKeys.set({ id: keyId, ...data, createdAt: at, revokedAt: null });
      }
      case 'ApiKeyRevoked':
        return this.apiKeys.update(event.data.keyId, { revokedAt: event.data.at });
      default:
        return assertNever(event, 'AUTH event');
    }
  }

  private updateUser(userId: string, change: (user: UserRecord) => Partial<UserRecord>): void {
    const user = this.users.get(userId);
    if (user !== undefined) this.users.set(userId, { ...user, ...change(user) });
  }
}

function unknownEvent(type: string): GantryError {
  return new GantryError('AUTH.UNKNOWN_EVENT', 'invalid', `Event ${type} is not known to this version.`);
}
