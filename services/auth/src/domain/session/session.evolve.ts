import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import { assertNever } from '@gantry/kernel/assert-never';
import { REMEMBERED_TOKENS, usedTokenMark } from './session.policy.js';
import type { SessionState } from './session.state.js';

export type SessionEvent = Extract<AuthEvent, { type: 'SessionStarted' | 'SessionRefreshed' | 'SessionEnded' }>;

export function evolveSession(state: SessionState, event: SessionEvent): SessionState {
  if (event.type === 'SessionStarted') {
    const { sessionId, userId, tokenHash, expiresAt, at } = event.data;
    return { status: 'active', sessionId, userId, tokenHash, usedTokens: [], rotatedAt: at, expiresAt };
  }
  if (state.status !== 'active') return state;
  switch (event.type) {
    case 'SessionRefreshed':
      return {
        ...state,
        tokenHash: event.data.tokenHash,
        usedTokens: [...state.usedTokens, usedTokenMark(state.tokenHash)].slice(-REMEMBERED_TOKENS),
        rotatedAt: event.data.at,
      };
    case 'SessionEnded':
      return { status: 'ended', userId: state.userId, reason: event.data.reason };
    default:
      return assertNever(event, 'session event');
  }
}
