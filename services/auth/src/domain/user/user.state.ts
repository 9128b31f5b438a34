import type { Role } from '@gantry/contracts/messaging/actor';

export interface RegisteredUser {
  readonly status: 'registered';
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  /** PHC string. */
  readonly passwordHash: string;
  readonly mustChangePassword: boolean;
}

export type UserState = { readonly status: 'unknown' } | RegisteredUser;

export const unknownUser: UserState = { status: 'unknown' };
