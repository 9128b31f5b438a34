import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anonymous,
  type ApplicationFixture,
  client,
  contextOf,
  startApplication,
} from '../../testing/application.fixture.js';
import { DirectoryProjection } from './directory.projection.js';

const names = ['ada', 'bob'] as const;
const operations = [
  'register',
  'logIn',
  'failLogIn',
  'revokeSessions',
  'createKey',
  'revokeKeys',
  'rename',
  'expire',
  'wait',
] as const;
const step = fc.record({ name: fc.constantFrom(...names), operation: fc.constantFrom(...operations) });

async function run(
  fixture: ApplicationFixture,
  { name, operation }: { name: (typeof names)[number]; operation: (typeof operations)[number] },
) {
  const { application, clock } = fixture;
  const user = application.directory.userByEmail(`${name}@example.org`);
  if (operation === 'register') return fixture.register(name);
  if (operation === 'wait') return clock.advance(9 * 3_600_000);
  if (operation === 'expire') return application.expireSessions.handle();
  if (user === undefined) return;
  const context = contextOf(user);
  const userId = user.id;
  switch (operation) {
    case 'logIn':
      return fixture.logIn(name);
    case 'failLogIn':
      return application.logIn.handle({ email: user.email, password: 'wrong', ...client }, anonymous);
    case 'revokeSessions':
      for (const { id } of application.directory.sessionsOf(userId))
        await application.revokeSession.handle({ userId, sessionId: id }, context);
      return;
    case 'createKey':
      return application.createApiKey.handle({ userId, name: 'k', scopes: ['tasks:read'] }, context);
    case 'revokeKeys':
      for (const { id } of application.directory.apiKeysOf(userId))
        await application.revokeApiKey.handle({ userId, keyId: id }, context);
      return;
    case 'rename':
      return application.updateProfile.handle({ userId, name: `${user.name}!` }, context);
  }
}

const contentOf = (directory: DirectoryProjection) =>
  directory
    .allUsers()
    .map((user) => ({ user, sessions: directory.sessionsOf(user.id), apiKeys: directory.apiKeysOf(user.id) }));

describe('directory', () => {
  it('is the same after a replay of the stream, with any commits delivered twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.nat(3)),
        async (steps, backSteps) => {
          const fixture = await startApplication();
          for (const each of steps) await run(fixture, each).catch(() => undefined);
          const replayed = new DirectoryProjection();
          const { all } = fixture.store;
          for (const [index, stored] of all.entries()) {
            replayed.apply(stored);
            const again = all[index - (backSteps.next().value ?? 0)];
            if (again !== undefined) replayed.apply(again);
          }
          expect(contentOf(replayed)).toEqual(contentOf(fixture.application.directory));
          expect(replayed.appliedSequence).toBe(all.length);
          await fixture.stop();
        },
      ),
      { numRuns: 40 },
    );
  });
});
