import type { RequestContext } from '@gantry/contracts/messaging/request';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  anonymous,
  type ApplicationFixture,
  contextOf,
  password,
  startApplication,
} from '../testing/application.fixture.js';

type Operation = (context: RequestContext) => unknown;

interface Case {
  readonly name: string;
  /** What an admin gets: admins may look and revoke, they may not act as somebody else. */
  readonly admin: 'allowed' | 'AUTH.FORBIDDEN';
  readonly operation: Operation;
}

let fixture: ApplicationFixture;
const id = { ada: '', eve: '', session: '', key: '' };
const contexts = new Map<string, RequestContext>();
const context = (name: string): RequestContext => contexts.get(name) ?? anonymous;

beforeAll(async () => {
  fixture = await startApplication();
  const root = await fixture.admin();
  const [ada, eve] = [await fixture.register('ada'), await fixture.register('eve')];
  await fixture.logIn('ada');
  const { apiKey } = await fixture.application.createApiKey.handle(
    { userId: ada.id, name: 'k', scopes: ['tasks:read'] },
    contextOf(ada),
  );
  Object.assign(id, {
    ada: ada.id,
    eve: eve.id,
    key: apiKey.id,
    session: fixture.application.directory.sessionsOf(ada.id)[0]?.id,
  });
  contexts.set('admin', contextOf(root));
  contexts.set('demoted', contextOf(eve, { role: 'admin' }));
  contexts.set('limited admin', contextOf(root, { role: 'user' }));
  contexts.set('stranger', contextOf(eve));
  contexts.set('anonymous', anonymous);
  contexts.set('worker', { actor: { kind: 'worker', id: 'w1' }, correlationId: 'test' });
  contexts.set('deleted', contextOf({ id: 'gone', name: 'Gone', role: 'admin' }));
});

const ofAda: Case[] = [
  {
    name: 'get-profile',
    admin: 'allowed',
    operation: (by) => fixture.application.query.profile({ userId: id.ada }, by),
  },
  {
    name: 'list-sessions',
    admin: 'allowed',
    operation: (by) => fixture.application.query.sessions({ userId: id.ada }, by),
  },
  {
    name: 'list-api-keys',
    admin: 'allowed',
    operation: (by) => fixture.application.query.apiKeys({ userId: id.ada }, by),
  },
  {
    name: 'update-profile',
    admin: 'AUTH.FORBIDDEN',
    operation: (by) => fixture.application.updateProfile.handle({ userId: id.ada, name: 'x' }, by),
  },
  {
    name: 'change-password',
    admin: 'AUTH.FORBIDDEN',
    operation: (by) =>
      fixture.application.changePassword.handle(
        { userId: id.ada, currentPassword: password, newPassword: 'another long password' },
        by,
      ),
  },
  {
    name: 'create-api-key',
    admin: 'AUTH.FORBIDDEN',
    operation: (by) =>
      fixture.application.createApiKey.handle({ userId: id.ada, name: 'k', scopes: ['tasks:read'] }, by),
  },
  {
    name: 'revoke-session',
    admin: 'allowed',
    operation: (by) => fixture.application.revokeSession.handle({ userId: id.ada, sessionId: id.session }, by),
  },
  {
    name: 'revoke-api-key',
    admin: 'allowed',
    operation: (by) => fixture.application.revokeApiKey.handle({ userId: id.ada, keyId: id.key }, by),
  },
];
const adminOnly: Case[] = [
  { name: 'list-users', admin: 'allowed', operation: (by) => fixture.application.query.users({ limit: 10 }, by) },
  {
    name: 'change-role',
    admin: 'allowed',
    operation: (by) => fixture.application.changeRole.handle({ userId: id.ada, role: 'user' }, by),
  },
];

const refusals = {
  stranger: ['AUTH.FORBIDDEN', 'AUTH.ADMIN_ONLY'],
  demoted: ['AUTH.FORBIDDEN', 'AUTH.ADMIN_ONLY'],
  'limited admin': ['AUTH.FORBIDDEN', 'AUTH.ADMIN_ONLY'],
  worker: ['AUTH.FORBIDDEN', 'AUTH.FORBIDDEN'],
  anonymous: ['AUTH.NOT_LOGGED_IN', 'AUTH.NOT_LOGGED_IN'],
  deleted: ['AUTH.NOT_LOGGED_IN', 'AUTH.NOT_LOGGED_IN'],
} as const;

describe('access', () => {
  for (const [who, [own, administrative]] of Object.entries(refusals)) {
    it.each(ofAda)(`of ${who} to another's $name is refused and stores nothing`, async ({ operation }) => {
      const before = fixture.store.all.length;
      await expect((async () => operation(context(who)))()).rejects.toMatchObject({ code: own });
      expect(fixture.store.all).toHaveLength(before);
    });

    it.each(adminOnly)(`of ${who} to $name is refused and stores nothing`, async ({ operation }) => {
      const before = fixture.store.all.length;
      await expect((async () => operation(context(who)))()).rejects.toMatchObject({ code: administrative });
      expect(fixture.store.all).toHaveLength(before);
    });
  }

  it('to a session or key of another under the own id finds nothing', async () => {
    const { application } = fixture;
    await expect(
      application.revokeSession.handle({ userId: id.eve, sessionId: id.session }, context('stranger')),
    ).rejects.toMatchObject({
      code: 'AUTH.SESSION_NOT_FOUND',
    });
    await expect(
      application.revokeApiKey.handle({ userId: id.eve, keyId: id.key }, context('stranger')),
    ).rejects.toMatchObject({
      code: 'AUTH.API_KEY_NOT_FOUND',
    });
    await expect(
      application.revokeApiKey.handle({ userId: id.eve, keyId: '*' }, context('stranger')),
    ).rejects.toMatchObject({
      code: 'AUTH.API_KEY_NOT_FOUND',
    });
  });

  it.each([...ofAda, ...adminOnly])('of an admin to $name is $admin', async ({ admin, operation }) => {
    const result = (async () => operation(context('admin')))();
    if (admin === 'allowed') await expect(result).resolves.toBeDefined();
    else await expect(result).rejects.toMatchObject({ code: admin });
  });
});
