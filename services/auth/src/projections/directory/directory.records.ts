import type { Scope } from '@gantry/contracts/auth/auth-requests';
import type { Role } from '@gantry/contracts/messaging/actor';

/** What the directory knows of a user. Times are epoch milliseconds. */
export interface UserRecord {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  /** PHC string; never leaves the service. */
  readonly passwordHash: string;
  readonly mustChangePassword: boolean;
  readonly createdAt: number;
  readonly lastLogInAt: number | null;
  /** Failures since the last log-in, as `addFailure` keeps them. */
  readonly failedLogIns: readonly number[];
}

/** An active session; ended ones leave the directory. */
export interface SessionRecord {
  readonly id: string;
  readonly userId: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly startedAt: number;
  readonly lastActiveAt: number;
  readonly expiresAt: number;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly prefix: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}
