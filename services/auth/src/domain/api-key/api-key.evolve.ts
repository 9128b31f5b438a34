import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import { assertNever } from '@gantry/kernel/assert-never';
import type { ApiKeyState } from './api-key.state.js';

export type ApiKeyEvent = Extract<AuthEvent, { type: 'ApiKeyCreated' | 'ApiKeyRevoked' }>;

export function evolveApiKey(state: ApiKeyState, event: ApiKeyEvent): ApiKeyState {
  switch (event.type) {
    case 'ApiKeyCreated':
      return { status: 'active', keyId: event.data.keyId, userId: event.data.userId };
    case 'ApiKeyRevoked':
      return state.status === 'active' ? { ...state, status: 'revoked' } : state;
    default:
      return assertNever(event, 'API key event');
  }
}
