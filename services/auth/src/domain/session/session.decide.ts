import { assertNever } from '@gantry/kernel/assert-never';
import { refreshRace, refreshTokenInvalid, sessionEnded } from './session.errors.js';
import type { SessionEvent } from './session.evolve.js';
import { sessionPolicy, usedTokenMark } from './session.policy.js';
import type { ActiveSession, SessionEndReason, SessionState } from './session.state.js';

interface Client {
  readonly ip: string;
  readonly userAgent: string;
}

export interface StartSession extends Client {
  readonly type: 'StartSession';
  readonly sessionId: string;
  readonly userId: string;
  readonly tokenHash: string;
  readonly at: number;
}

export interface RefreshSession extends Client {
  readonly type: 'RefreshSession';
  readonly presentedHash: string;
  readonly nextHash: string;
  readonly at: number;
}

export type SessionCommand =
  | StartSession
  | RefreshSession
  | { readonly type: 'LogOut'; readonly presentedHash: string; readonly at: number }
  | {
      readonly type: 'EndSession';
      readonly reason: Extract<SessionEndReason, 'revoked' | 'password_changed'>;
      readonly at: number;
    }
  | { readonly type: 'ExpireSession'; readonly at: number };

/**
 * A refresh that finds the session expired, or its token used before, *ends* the session instead of throwing, so that the
 * end is stored: the caller looks at the state afterwards. A secret that never belonged to the session changes nothing,
 * otherwise everybody who knows a session's id could end it.
 * Errors: `AUTH.REFRESH_TOKEN_INVALID`, `AUTH.SESSION_ENDED`, `AUTH.REFRESH_RACE` (retryable).
 */
export function decideSession(command: SessionCommand, state: SessionState): readonly SessionEvent[] {
  switch (command.type) {
    case 'StartSession':
      return start(command, state);
    case 'RefreshSession':
      return refresh(command, state);
    case 'LogOut':
      return state.status === 'active' && belongs(command.presentedHash, state)
        ? end(state, 'logged_out', command.at)
        : [];
    case 'EndSession':
      return state.status === 'active' ? end(state, command.reason, command.at) : [];
    case 'ExpireSession':
      return state.status === 'active' && command.at >= state.expiresAt ? end(state, 'expired', command.at) : [];
    default:
      return assertNever(command, 'session command');
  }
}

function start(command: StartSession, state: SessionState): readonly SessionEvent[] {
  if (state.status !== 'none') return [];
  const { type: _, ...data } = command;
  return [{ type: 'SessionStarted', data: { ...data, expiresAt: command.at + sessionPolicy.lifetimeMs } }];
}

function refresh(command: RefreshSession, state: SessionState): readonly SessionEvent[] {
  if (state.status === 'none') throw refreshTokenInvalid();
  if (state.status === 'ended') throw sessionEnded();
  const { presentedHash, nextHash, ip, userAgent, at } = command;
  if (!belongs(presentedHash, state)) throw refreshTokenInvalid();
  if (at >= state.expiresAt) return end(state, 'expired', at);
  if (presentedHash === state.tokenHash) {
    return [{ type: 'SessionRefreshed', data: { sessionId: state.sessionId, tokenHash: nextHash, ip, userAgent, at } }];
  }
  const isNewestUsed = usedTokenMark(presentedHash) === state.usedTokens.at(-1);
  if (isNewestUsed && at - state.rotatedAt <= sessionPolicy.refreshRaceMs) throw refreshRace();
  return end(state, 'token_reused', at);
}

function belongs(presentedHash: string, state: ActiveSession): boolean {
  return presentedHash === state.tokenHash || state.usedTokens.includes(usedTokenMark(presentedHash));
}

function end(state: ActiveSession, reason: SessionEndReason, at: number): readonly SessionEvent[] {
  return [{ type: 'SessionEnded', data: { sessionId: state.sessionId, reason, at } }];
}
