import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { describe, expect, it } from 'vitest';
import { anonymous, client, contextOf, password, startApplication } from '../testing/application.fixture.js';

/** Dies once, in front of the append to a user. */
class CrashingStore extends InMemoryEventStore<AuthEvent> {
  crashes = 1;

  override append(...args: Parameters<InMemoryEventStore<AuthEvent>['append']>) {
    if (args[0].startsWith('auth.user.') && this.crashes > 0) {
      this.crashes -= 1;
      return Promise.reject(new Error('crash'));
    }
    return super.append(...args);
  }
}

describe('registration', () => {
  it('reserves the address, then registers a user without rights', async () => {
    const { eventTypes, register, clock } = await startApplication();
    expect(await register('ada')).toEqual({
      id: expect.any(String),
      email: 'ada@example.org',
      name: 'ada',
      role: 'user',
      mustChangePassword: false,
      createdAt: clock.now(),
      lastLogInAt: null,
    });
    expect(eventTypes()).toEqual(['EmailReserved', 'UserRegistered']);
  });

  it('gives an address to one user only, also when two ask at once', async () => {
    const { register, eventTypes } = await startApplication();
    const results = await Promise.allSettled([register('ada'), register('ada'), register('ada')]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(register('ada')).rejects.toMatchObject({ code: 'AUTH.EMAIL_TAKEN', kind: 'conflict' });
    expect(eventTypes()).toEqual(['EmailReserved', 'UserRegistered']);
  });

  it('goes on where a crash broke it off', async () => {
    const { register, eventTypes } = await startApplication({ store: new CrashingStore() });
    await expect(register('ada')).rejects.toThrow('crash');
    expect(eventTypes()).toEqual(['EmailReserved']);
    expect(await register('ada')).toMatchObject({ email: 'ada@example.org' });
    expect(eventTypes()).toEqual(['EmailReserved', 'UserRegistered']);
  });

  it('is for admins only where it is closed', async () => {
    const { application, register, admin } = await startApplication({ registration: 'closed' });
    await expect(register('ada')).rejects.toMatchObject({ code: 'AUTH.REGISTRATION_CLOSED' });
    const root = await admin();
    const eve = await application.registerUser.handle(
      { email: 'eve@example.org', name: 'Eve', password },
      contextOf(root),
    );
    expect(eve).toMatchObject({ role: 'user' });
    await expect(
      application.registerUser.handle({ email: 'x@example.org', name: 'X', password }, contextOf(eve)),
    ).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
  });

  it('stores no password and no token in the stream', async () => {
    const { application, store, register, logIn } = await startApplication();
    const user = await register('ada');
    const { refreshToken } = await logIn('ada');
    const { key } = await application.createApiKey.handle(
      { userId: user.id, name: 'k', scopes: ['tasks:read'] },
      contextOf(user),
    );
    const stored = JSON.stringify(store.all);
    for (const secret of [password, refreshToken.slice(-43), key.slice(-43)]) expect(stored).not.toContain(secret);
    expect(stored).toContain('$argon2id$');
  });
});

describe('first admin', () => {
  it('gets a generated password that is shown once and must be changed', async () => {
    const { application, announced, store } = await startApplication();
    expect(await application.ensureFirstAdmin.handle({ email: 'admin@gantry.local' })).toBe('registered');
    expect(announced).toEqual([{ email: 'admin@gantry.local', password: expect.stringMatching(/^[\w-]{24}$/) }]);
    const first = announced[0]?.password ?? '';
    expect(JSON.stringify(store.all)).not.toContain(first);
    const pair = await application.logIn.handle({ email: 'admin@gantry.local', password: first, ...client }, anonymous);
    expect(pair.user).toMatchObject({ role: 'admin', mustChangePassword: true });
    const context = contextOf(pair.user);
    const listUsers = () => application.query.users({ limit: 10 }, context);
    expect(listUsers).toThrow(expect.objectContaining({ code: 'AUTH.PASSWORD_CHANGE_REQUIRED' }));
    await expect(
      application.createApiKey.handle({ userId: pair.user.id, name: 'k', scopes: ['tasks:read'] }, context),
    ).rejects.toMatchObject({
      code: 'AUTH.PASSWORD_CHANGE_REQUIRED',
    });
    const changed = await application.changePassword.handle(
      { userId: pair.user.id, currentPassword: first, newPassword: password },
      context,
    );
    expect(changed.mustChangePassword).toBe(false);
    expect(listUsers().users).toHaveLength(1);
  });

  it('is made once, and never from a user who took the address', async () => {
    const first = await startApplication();
    await first.application.ensureFirstAdmin.handle({ email: 'root@example.org', password });
    expect(first.announced).toEqual([]);
    const second = await first.restart();
    expect(await second.application.ensureFirstAdmin.handle({ email: 'other@example.org' })).toBe('exists');
    expect(second.eventTypes()).toEqual(['EmailReserved', 'UserRegistered']);

    const third = await startApplication();
    await third.register('root');
    expect(await third.application.ensureFirstAdmin.handle({ email: 'root@example.org', password })).toBe(
      'email_taken',
    );
    expect(third.application.directory.hasAdmin()).toBe(false);
  });
});

describe('password', () => {
  it('change ends the other sessions, keeps this one, and the old password is good no more', async () => {
    const { application, register, logIn, eventTypes } = await startApplication();
    const user = await register('ada');
    await logIn('ada');
    const kept = await logIn('ada');
    const [, session] = application.directory.sessionsOf(user.id);
    const newPassword = 'another long password';
    await application.changePassword.handle(
      {
        userId: user.id,
        ...(session === undefined ? {} : { sessionId: session.id }),
        currentPassword: password,
        newPassword,
      },
      contextOf(user),
    );
    expect(application.directory.sessionsOf(user.id).map(({ id }) => id)).toEqual([session?.id]);
    await expect(
      application.refreshSession.handle({ refreshToken: kept.refreshToken, ...client }, anonymous),
    ).resolves.toBeDefined();
    await expect(logIn('ada')).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
    await expect(
      application.logIn.handle({ email: user.email, password: newPassword, ...client }, anonymous),
    ).resolves.toBeDefined();
    expect(eventTypes().filter((type) => type === 'SessionEnded' || type === 'PasswordChanged')).toEqual([
      'SessionEnded',
      'PasswordChanged',
    ]);
  });

  it('cannot be guessed through a stolen access token', async () => {
    const { application, register } = await startApplication();
    const user = await register('ada');
    const guess = (currentPassword: string) =>
      application.changePassword.handle(
        { userId: user.id, currentPassword, newPassword: 'another long password' },
        contextOf(user),
      );
    for (let count = 0; count < 5; count += 1)
      await expect(guess('wrong')).rejects.toMatchObject({ code: 'AUTH.WRONG_PASSWORD', kind: 'invalid' });
    await expect(guess(password)).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS' });
  });

  it('must really change', async () => {
    const { application, register } = await startApplication();
    const user = await register('ada');
    await expect(
      application.changePassword.handle(
        { userId: user.id, currentPassword: password, newPassword: password },
        contextOf(user),
      ),
    ).rejects.toMatchObject({ code: 'AUTH.PASSWORD_UNCHANGED' });
  });
});

describe('roles', () => {
  it('never leave the installation without an admin, also when two admins demote each other at once', async () => {
    const { application, register, admin } = await startApplication();
    const root = await admin();
    const ada = await register('ada');
    const change = (userId: string, role: 'admin' | 'user', by: typeof root) =>
      application.changeRole.handle({ userId, role }, contextOf(by, { role: 'admin' }));
    await expect(change(root.id, 'user', root)).rejects.toMatchObject({ code: 'AUTH.LAST_ADMIN' });
    expect(await change(ada.id, 'admin', root)).toMatchObject({ role: 'admin' });
    const results = await Promise.allSettled([change(root.id, 'user', ada), change(ada.id, 'user', root)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(application.directory.allUsers().filter(({ role }) => role === 'admin')).toHaveLength(1);
  });

  it('never send a made-up id to the store', async () => {
    const { application, admin } = await startApplication();
    const context = contextOf(await admin());
    for (const userId of ['*', '>', 'nobody']) {
      await expect(application.changeRole.handle({ userId, role: 'admin' }, context)).rejects.toMatchObject({
        code: 'AUTH.USER_NOT_FOUND',
      });
    }
  });
});

describe('profile and list of users', () => {
  it('change the name', async () => {
    const { application, register } = await startApplication();
    const user = await register('ada');
    expect(await application.updateProfile.handle({ userId: user.id, name: 'Ada L.' }, contextOf(user))).toMatchObject({
      name: 'Ada L.',
    });
    expect(application.query.profile({ userId: user.id }, contextOf(user))).toMatchObject({ name: 'Ada L.' });
  });

  it('page through everybody in the order of registration', async () => {
    const { application, register, admin } = await startApplication();
    const context = contextOf(await admin());
    for (const name of ['a', 'b', 'c', 'd']) await register(name);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = application.query.users({ limit: 2, ...(after === undefined ? {} : { after }) }, context);
      expect(page.users.length).toBeLessThanOrEqual(2);
      seen.push(...page.users.map(({ name }) => name));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(['Administrator', 'a', 'b', 'c', 'd']);
  });
});
