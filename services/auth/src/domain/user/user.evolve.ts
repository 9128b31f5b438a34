import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import { assertNever } from '@gantry/kernel/assert-never';
import type { UserState } from './user.state.js';

export type UserEvent = Extract<
  AuthEvent,
  { type: 'UserRegistered' | 'ProfileUpdated' | 'PasswordChanged' | 'RoleChanged' | 'LogInFailed' }
>;

export function evolveUser(state: UserState, event: UserEvent): UserState {
  if (event.type === 'UserRegistered') {
    const { userId, email, name, role, passwordHash, mustChangePassword } = event.data;
    return { status: 'registered', userId, email, name, role, passwordHash, mustChangePassword };
  }
  if (state.status === 'unknown') return state;
  switch (event.type) {
    case 'ProfileUpdated':
      return { ...state, name: event.data.name };
    case 'PasswordChanged':
      return { ...state, passwordHash: event.data.passwordHash, mustChangePassword: false };
    case 'RoleChanged':
      return { ...state, role: event.data.role };
    case 'LogInFailed':
      return state;
    default:
      return assertNever(event, 'user event');
  }
}
