import { describe, expect, it } from 'vitest';
import { contextOf, startApplication } from '../testing/application.fixture.js';

const started = async () => {
  const fixture = await startApplication();
  const user = await fixture.register('ada');
  const create = (extra: { expiresAt?: number } = {}) =>
    fixture.application.createApiKey.handle(
      { userId: user.id, name: 'laptop', scopes: ['tasks:read'], ...extra },
      contextOf(user),
    );
  const list = () => fixture.application.query.apiKeys({ userId: user.id }, contextOf(user)).apiKeys;
  const verify = (key: string) => () => fixture.application.verifyApiKey.handle({ key });
  return { ...fixture, user, create, list, verify };
};
const invalid = expect.objectContaining({ code: 'AUTH.API_KEY_INVALID', kind: 'unauthenticated' }) as Error;

describe('API keys', () => {
  it('speak for their owner with their scopes', async () => {
    const { user, create, verify } = await started();
    const { key, apiKey } = await create();
    expect(key).toMatch(/^gtk_[0-9a-f-]{36}_[\w-]{43}$/);
    expect(key.startsWith(apiKey.prefix)).toBe(true);
    expect(verify(key)()).toEqual({ user, keyId: apiKey.id, scopes: ['tasks:read'] });
  });

  it('are refused when wrong, unknown, malformed, expired or revoked, all in the same words', async () => {
    const { application, clock, user, create, verify } = await started();
    const { key, apiKey } = await create();
    expect(verify(`${key.slice(0, -43)}${'A'.repeat(43)}`)).toThrow(invalid);
    expect(verify(key.replace(apiKey.id, '00000000-0000-7000-8000-ffffffffffff'))).toThrow(invalid);
    expect(verify('gtk_nonsense')).toThrow(invalid);
    expect(verify(key.replace('gtk_', 'gtr_'))).toThrow(invalid);
    await application.revokeApiKey.handle({ userId: user.id, keyId: apiKey.id }, contextOf(user));
    expect(verify(key)).toThrow(invalid);

    const short = await create({ expiresAt: clock.now() + 1_000 });
    clock.advance(999);
    expect(verify(short.key)()).toMatchObject({ keyId: short.apiKey.id });
    clock.advance(1);
    expect(verify(short.key)).toThrow(invalid);
  });

  it('show when they were last used, also after a restart, without an event per use', async () => {
    const fixture = await started();
    const { application, clock, create, list, verify, eventTypes } = fixture;
    const { key, apiKey } = await create();
    expect(list()).toMatchObject([{ lastUsedAt: null }]);
    const before = eventTypes().length;
    clock.advance(5_000);
    verify(key)();
    expect(list()).toMatchObject([{ id: apiKey.id, lastUsedAt: clock.now() }]);
    expect(eventTypes()).toHaveLength(before);
    await application.keyUsage.exchange();
    const again = await fixture.restart();
    expect(again.application.keyUsage.lastUsedAt(apiKey.id)).toBe(clock.now());
  });

  it('lose the scope "admin" together with their owner', async () => {
    const { application, admin, register } = await startApplication();
    const root = await admin();
    const ada = await register('ada');
    await application.changeRole.handle({ userId: ada.id, role: 'admin' }, contextOf(root));
    const asAdmin = contextOf(ada, { role: 'admin' });
    const { key } = await application.createApiKey.handle(
      { userId: ada.id, name: 'k', scopes: ['tasks:read', 'admin'] },
      asAdmin,
    );
    expect(application.verifyApiKey.handle({ key }).scopes).toEqual(['tasks:read', 'admin']);
    await application.changeRole.handle({ userId: ada.id, role: 'user' }, contextOf(root));
    expect(application.verifyApiKey.handle({ key })).toMatchObject({ scopes: ['tasks:read'], user: { role: 'user' } });
  });

  it('without admin rights cannot make one that has them', async () => {
    const { application, admin } = await startApplication();
    const root = await admin();
    await expect(
      application.createApiKey.handle(
        { userId: root.id, name: 'k', scopes: ['admin'] },
        contextOf(root, { role: 'user' }),
      ),
    ).rejects.toMatchObject({ code: 'AUTH.SCOPE_NOT_ALLOWED' });
  });
});
