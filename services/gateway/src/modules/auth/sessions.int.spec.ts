import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn, logOut, refreshSession } from '@gantry/contracts/auth/auth-requests';
import { bearer, graphql } from '../../testing/api-client.js';
import { USER_ID, World } from '../../testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ GANTRY_WEB_ORIGINS: 'http://pages.example' });
});
afterAll(async () => {
  await world.stop();
});

const pairFor = (refreshToken: string) => ({
  accessToken: 'access',
  accessTokenExpiresAt: Date.now() + 900_000,
  refreshToken,
  refreshTokenExpiresAt: Date.now() + 86_400_000,
  user: world.user(),
});

describe('sessions', () => {
  it('keeps the refresh token in a cookie that only known pages may use', async () => {
    world.services.on(logIn, () => pairFor('refresh-1'));
    world.services.on(refreshSession, ({ refreshToken }) => pairFor(`${refreshToken}-next`));
    world.services.on(logOut, () => ({}));
    const loggedIn = await graphql(
      world.url,
      'mutation { logIn(email: "ada@example.org", password: "x") { accessToken refreshToken user { id } } }',
    );
    expect(loggedIn.data?.['logIn']).toEqual({ accessToken: 'access', refreshToken: null, user: { id: USER_ID } });
    const cookie = loggedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^gantry_refresh=refresh-1; .*HttpOnly; SameSite=Strict$/);

    const refresh = (headers: Record<string, string>) =>
      graphql(world.url, 'mutation { refresh { accessToken } }', {
        headers: { cookie: 'gantry_refresh=refresh-1', ...headers },
      });
    expect((await refresh({})).errors?.[0]?.extensions['code']).toBe('AUTH.CROSS_SITE');
    expect((await refresh({ origin: 'http://evil.example' })).errors?.[0]?.extensions['code']).toBe('AUTH.CROSS_SITE');
    const shown: Record<string, string>[] = [{ origin: 'http://pages.example' }, { 'x-gantry-csrf': '1' }];
    for (const headers of shown) {
      const renewed = await refresh(headers);
      expect(renewed.errors).toBeUndefined();
      expect(renewed.headers.get('set-cookie')).toContain('gantry_refresh=refresh-1-next;');
    }
    const out = await fetch(`${world.url}/api/auth/logout`, {
      method: 'POST',
      headers: { cookie: 'gantry_refresh=refresh-1', 'x-gantry-csrf': '1' },
    });
    expect([out.status, out.headers.get('set-cookie')?.startsWith('gantry_refresh=;')]).toEqual([204, true]);
  });

  it('gives programs the token in the body, and lets nobody be blocked by an old token', async () => {
    world.services.on(logIn, () => pairFor('refresh-2'));
    const response = await fetch(`${world.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(await world.token({ expiresInSeconds: -5 })) },
      body: JSON.stringify({ email: 'ada@example.org', password: 'x', cookie: false }),
    });
    expect([response.status, response.headers.get('set-cookie')]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({ refreshToken: 'refresh-2' });
  });

  it('slows down guessing', async () => {
    const slow = await World.start({ GANTRY_AUTH_RATE_PER_MINUTE: '3' });
    try {
      const codes: unknown[] = [];
      for (let round = 0; round < 5; round += 1) {
        const reply = await graphql(
          slow.url,
          'mutation { logIn(email: "ada@example.org", password: "x") { accessToken } }',
        );
        codes.push(reply.errors?.[0]?.extensions['code']);
      }
      expect(codes.filter((code) => code === 'LIMIT.TOO_MANY_REQUESTS')).toHaveLength(2);
      const refused = await fetch(`${slow.url}/api/auth/login`, { method: 'POST' });
      expect(refused.status).toBe(429);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(1);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(await refused.json()).toEqual({
        error: {
          code: 'LIMIT.TOO_MANY_REQUESTS',
          kind: 'limit',
          message: `Too many requests. Try again in ${seconds} s.`,
          retryable: true,
        },
      });
    } finally {
      await slow.stop();
    }
  });

  it('counts every guess of a document', async () => {
    const slow = await World.start({ GANTRY_AUTH_RATE_PER_MINUTE: '3' });
    try {
      slow.services.on(logIn, () => pairFor('refresh-3'));
      const guesses = ['a', 'b', 'c', 'd'].map(
        (alias) => `${alias}: logIn(email: "ada@example.org", password: "${alias}") { accessToken }`,
      );
      const reply = await graphql(slow.url, `mutation { ${guesses.join(' ')} }`);
      expect(reply.errors).toMatchObject([
        { path: ['d'], extensions: { code: 'LIMIT.TOO_MANY_REQUESTS', kind: 'limit', retryable: true } },
      ]);
    } finally {
      await slow.stop();
    }
  });
});
