import type { AuthEventData } from '@gantry/contracts/auth/auth-events';

export type SessionEndReason = AuthEventData<'SessionEnded'>['reason'];

export interface ActiveSession {
  readonly status: 'active';
  readonly sessionId: string;
  readonly userId: string;
  /** Hash of the one refresh token that is good now. */
  readonly tokenHash: string;
  /** Start of the hash of each token used up, newest last. */
  readonly usedTokens: readonly string[];
  /** When the newest of `usedTokens` was used up. */
  readonly rotatedAt: number;
  /** Absolute: refreshing does not move it. */
  readonly expiresAt: number;
}

export type SessionState =
  | { readonly status: 'none' }
  | ActiveSession
  | { readonly status: 'ended'; readonly userId: string; readonly reason: SessionEndReason };

export const noSession: SessionState = { status: 'none' };
