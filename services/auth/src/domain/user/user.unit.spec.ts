import type { Role } from '@gantry/contracts/messaging/actor';
import { given } from '@gantry/testing/given-when-then';
import { describe, expect, it } from 'vitest';
import { fold } from '@gantry/event-sourcing/decider';
import { userDecider } from './user.decider.js';
import type { UserEvent } from './user.evolve.js';
import { unknownUser } from './user.state.js';

const data = {
  userId: 'u1',
  email: 'ada@example.org',
  name: 'Ada',
  role: 'user' as Role,
  passwordHash: '$argon2id$1',
  mustChangePassword: true,
  at: 1,
};
const registered = (role: Role = 'user'): UserEvent => ({ type: 'UserRegistered', data: { ...data, role } });

describe('user', () => {
  it('is registered once', () => {
    given(userDecider, [])
      .when({ type: 'RegisterUser', ...data })
      .then([registered()]);
    given(userDecider, [registered()])
      .when({ type: 'RegisterUser', ...data })
      .thenThrows('AUTH.EMAIL_TAKEN');
  });

  it('changes its name, and only when it differs', () => {
    given(userDecider, [registered()])
      .when({ type: 'UpdateProfile', name: 'Ada L.', at: 2 })
      .then([{ type: 'ProfileUpdated', data: { userId: 'u1', name: 'Ada L.', at: 2 } }]);
    given(userDecider, [registered()]).when({ type: 'UpdateProfile', name: 'Ada', at: 2 }).then([]);
  });

  it('need not change its password any more after it did', () => {
    const changed: UserEvent = { type: 'PasswordChanged', data: { userId: 'u1', passwordHash: '$argon2id$2', at: 3 } };
    given(userDecider, [registered()])
      .when({ type: 'ChangePassword', passwordHash: '$argon2id$2', at: 3 })
      .then([changed]);
    expect(fold(userDecider, unknownUser, [registered(), changed])).toMatchObject({
      mustChangePassword: false,
      passwordHash: '$argon2id$2',
    });
  });

  it('changes roles, and only when they differ', () => {
    given(userDecider, [registered()])
      .when({ type: 'ChangeRole', role: 'admin', otherAdmins: 0, at: 4 })
      .then([{ type: 'RoleChanged', data: { userId: 'u1', role: 'admin', at: 4 } }]);
    given(userDecider, [registered('admin')])
      .when({ type: 'ChangeRole', role: 'admin', otherAdmins: 0, at: 4 })
      .then([]);
  });

  it('stays an admin while it is the last one', () => {
    given(userDecider, [registered('admin')])
      .when({ type: 'ChangeRole', role: 'user', otherAdmins: 0, at: 4 })
      .thenThrows('AUTH.LAST_ADMIN');
    given(userDecider, [registered('admin')])
      .when({ type: 'ChangeRole', role: 'user', otherAdmins: 1, at: 4 })
      .then([{ type: 'RoleChanged', data: { userId: 'u1', role: 'user', at: 4 } }]);
  });

  it('keeps each failed log-in', () => {
    given(userDecider, [registered()])
      .when({ type: 'RecordFailedLogIn', ip: '192.0.2.1', at: 5 })
      .then([{ type: 'LogInFailed', data: { userId: 'u1', ip: '192.0.2.1', at: 5 } }]);
  });

  it.each([
    { type: 'UpdateProfile', name: 'x', at: 1 },
    { type: 'ChangePassword', passwordHash: 'x', at: 1 },
    { type: 'ChangeRole', role: 'admin', otherAdmins: 1, at: 1 },
    { type: 'RecordFailedLogIn', ip: 'x', at: 1 },
  ] as const)('refuses $type for somebody unknown', (command) => {
    given(userDecider, []).when(command).thenThrows('AUTH.USER_NOT_FOUND');
  });
});
