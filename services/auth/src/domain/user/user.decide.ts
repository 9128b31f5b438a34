import type { Role } from '@gantry/contracts/messaging/actor';
import { assertNever } from '@gantry/kernel/assert-never';
import { emailTaken, lastAdmin, userNotFound } from './user.errors.js';
import type { UserEvent } from './user.evolve.js';
import type { RegisteredUser, UserState } from './user.state.js';

export interface RegisterUser {
  readonly type: 'RegisterUser';
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
  readonly mustChangePassword: boolean;
  readonly at: number;
}

export type UserCommand =
  | RegisterUser
  | { readonly type: 'UpdateProfile'; readonly name: string; readonly at: number }
  | { readonly type: 'ChangePassword'; readonly passwordHash: string; readonly at: number }
  /** `otherAdmins`: how many admins there are beside this user. */
  | { readonly type: 'ChangeRole'; readonly role: Role; readonly otherAdmins: number; readonly at: number }
  | { readonly type: 'RecordFailedLogIn'; readonly ip: string; readonly at: number };

/** Errors: `AUTH.EMAIL_TAKEN`, `AUTH.USER_NOT_FOUND`, `AUTH.LAST_ADMIN`. */
export function decideUser(command: UserCommand, state: UserState): readonly UserEvent[] {
  if (command.type === 'RegisterUser') return register(command, state);
  if (state.status === 'unknown') throw userNotFound();
  const { userId } = state;
  const { at } = command;
  switch (command.type) {
    case 'UpdateProfile':
      return command.name === state.name ? [] : [{ type: 'ProfileUpdated', data: { userId, name: command.name, at } }];
    case 'ChangePassword':
      return [{ type: 'PasswordChanged', data: { userId, passwordHash: command.passwordHash, at } }];
    case 'ChangeRole':
      return changeRole(command, state);
    case 'RecordFailedLogIn':
      return [{ type: 'LogInFailed', data: { userId, ip: command.ip, at } }];
    default:
      return assertNever(command, 'user command');
  }
}

function register(command: RegisterUser, state: UserState): readonly UserEvent[] {
  if (state.status === 'registered') throw emailTaken();
  const { type: _, ...data } = command;
  return [{ type: 'UserRegistered', data }];
}

function changeRole(
  command: Extract<UserCommand, { type: 'ChangeRole' }>,
  state: RegisteredUser,
): readonly UserEvent[] {
  if (command.role === state.role) return [];
  if (state.role === 'admin' && command.otherAdmins === 0) throw lastAdmin();
  return [{ type: 'RoleChanged', data: { userId: state.userId, role: command.role, at: command.at } }];
}
