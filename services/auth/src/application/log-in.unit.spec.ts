import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '@gantry/contracts/auth/auth-requests';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { throttle } from '../domain/user/log-in-throttle.js';
import { anonymous, client, password, startApplication } from '../testing/application.fixture.js';

const wrong = { email: 'ada@example.org', password: 'wrong', ...client };

describe('log-in', () => {
  it('gives an access token that the public key verifies, for ten minutes', async () => {
    const { application, clock, register, logIn } = await startApplication();
    const user = await register('ada');
    const pair = await logIn('ada');
    const keys = createLocalJWKSet({ keys: application.signer.publicKeys() } as unknown as JSONWebKeySet);
    const verified = await jwtVerify(pair.accessToken, keys, {
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      algorithms: ['EdDSA'],
      currentDate: new Date(clock.now()),
    });
    expect(verified.payload).toMatchObject({
      sub: user.id,
      email: 'ada@example.org',
      name: 'ada',
      role: 'user',
      mcp: false,
      sid: application.directory.sessionsOf(user.id)[0]?.id,
    });
    expect(pair.accessTokenExpiresAt - clock.now()).toBe(600_000);
    expect(pair.refreshTokenExpiresAt - clock.now()).toBe(24 * 3_600_000);
    await expect(
      jwtVerify(pair.accessToken, keys, { currentDate: new Date(pair.accessTokenExpiresAt) }),
    ).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('shows public key parts only', async () => {
    const { application } = await startApplication();
    expect(application.signer.publicKeys().map((key) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
    ]);
  });

  it('says the same to a wrong password and to an unknown address', async () => {
    const { application, register } = await startApplication();
    await register('ada');
    const refused = (email: string) =>
      application.logIn.handle({ ...wrong, email }, anonymous).then(
        () => expect.unreachable(),
        (error: unknown) => error,
      );
    const [known, unknown] = [await refused('ada@example.org'), await refused('nobody@example.org')];
    expect(known).toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS', kind: 'unauthenticated' });
    expect(unknown).toEqual(known);
  });

  it('hashes for an unknown address, too', async () => {
    const seen: (string | undefined)[] = [];
    const hasher = {
      hash: (text: string) => Promise.resolve(`hash of ${text}`),
      verify: (hash: string | undefined) => {
        seen.push(hash);
        return Promise.resolve(false);
      },
    };
    const { application } = await startApplication({ hasher });
    await expect(application.logIn.handle(wrong, anonymous)).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
    expect(seen).toEqual([undefined]);
  });

  it.each(['ada@example.org', 'nobody@example.org'])(
    'locks %s after five failures, longer each time',
    async (email) => {
      const { application, clock, register } = await startApplication();
      await register('ada');
      const attempt = (text: string) => application.logIn.handle({ email, password: text, ...client }, anonymous);
      for (let count = 0; count < 5; count += 1)
        await expect(attempt('wrong')).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
      await expect(attempt(password)).rejects.toMatchObject({
        code: 'AUTH.TOO_MANY_ATTEMPTS',
        kind: 'limit',
        retryable: true,
      });
      clock.advance(throttle.firstLockMs);
      await expect(attempt('wrong')).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
      clock.advance(throttle.firstLockMs);
      await expect(attempt('wrong')).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS' });
    },
  );

  it('counts tries of the same moment one after the other', async () => {
    const { application, register } = await startApplication();
    await register('ada');
    const tries = Array.from({ length: 30 }, () =>
      application.logIn.handle(wrong, anonymous).then(
        () => 'in',
        (error: { code: string }) => error.code,
      ),
    );
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === 'AUTH.WRONG_CREDENTIALS')).toHaveLength(5);
    expect(codes.filter((code) => code === 'AUTH.TOO_MANY_ATTEMPTS')).toHaveLength(25);
  });

  it('forgets failures after a log-in, and keeps a lock over a restart', async () => {
    const first = await startApplication();
    await first.register('ada');
    const fail = (fixture: typeof first) =>
      fixture.application.logIn.handle(wrong, anonymous).catch((error: unknown) => error);
    for (let count = 0; count < 4; count += 1) await fail(first);
    await first.logIn('ada');
    for (let count = 0; count < 4; count += 1) await fail(first);
    await first.logIn('ada');
    for (let count = 0; count < 5; count += 1) await fail(first);
    const second = await first.restart();
    await expect(second.logIn('ada')).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS' });
    second.clock.advance(throttle.firstLockMs);
    await expect(second.logIn('ada')).resolves.toMatchObject({ user: { name: 'ada' } });
  });

  it('stops a network that tries many addresses, and no other network', async () => {
    const { application, clock, register, logIn } = await startApplication();
    await register('ada');
    for (let count = 0; count < 100; count += 1) {
      await application.logIn.handle({ ...wrong, email: `user${count}@example.org` }, anonymous).catch(() => undefined);
    }
    await expect(logIn('ada')).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS' });
    await expect(application.logIn.handle({ ...wrong, password, ip: '192.0.2.2' }, anonymous)).resolves.toBeDefined();
    clock.advance(throttle.windowMs);
    await expect(logIn('ada')).resolves.toBeDefined();
  });

  it('ends the session that was inactive longest when there are too many', async () => {
    const { application, clock, register, logIn } = await startApplication();
    const user = await register('ada');
    const first = await logIn('ada');
    for (let count = 0; count < 200; count += 1) {
      clock.advance(1);
      await logIn('ada');
    }
    expect(application.directory.sessionsOf(user.id)).toHaveLength(200);
    await expect(
      application.refreshSession.handle({ refreshToken: first.refreshToken, ...client }, anonymous),
    ).rejects.toMatchObject({
      code: 'AUTH.SESSION_ENDED',
    });
  });

  it('names the user as the actor of the session it starts', async () => {
    const { store, register, logIn } = await startApplication();
    const user = await register('ada');
    await logIn('ada');
    expect(store.all.at(-1)?.commit).toMatchObject({
      actor: { kind: 'user', id: user.id, name: 'ada', role: 'user' },
      events: [{ type: 'SessionStarted' }],
    });
  });
});
