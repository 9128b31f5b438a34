import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthEvent } from '@gantry/contracts/auth/auth-events';
import * as requests from '@gantry/contracts/auth/auth-requests';
import { servicePermissions, type ServiceName } from '@gantry/contracts/messaging/permissions';
import type { InputOf, OutputOf, RequestContext, RequestContract } from '@gantry/contracts/messaging/request';
import { streams } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import { RequestClient } from '@gantry/jetstream/request-client';
import { ManualClock } from '@gantry/kernel/clock';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthModule } from './auth.module.js';
import { anonymous, client, contextOf, password } from './testing/application.fixture.js';

const folder = temporaryFolder('gantry-auth');
const signingKeyFile = join(folder, 'auth', 'signing-key.pem');
const admin = { email: 'admin@gantry.local', password: 'a long admin password' };
const clock = new ManualClock(Date.now());

let nats: NatsServerFixture;
let gateway: NatsConnection;
let edge: RequestClient;
let service: Awaited<ReturnType<typeof startTestService>>;

/** Each service under the broker user it has in production. */
function authorization(names: readonly ServiceName[]): string {
  const users = names.map((name) => {
    const { publish, subscribe } = servicePermissions[name];
    return `{ user: ${name}, password: "${name}", permissions: { publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)} } }`;
  });
  return `authorization { users: [ ${users.join(', ')} ] }`;
}

const start = () =>
  startTestService({
    name: 'auth',
    module: AuthModule.register(
      {
        signingKeyFile,
        AUTH_REGISTRATION: 'open',
        GANTRY_ADMIN_EMAIL: admin.email,
        GANTRY_ADMIN_PASSWORD: admin.password,
      },
      { clock },
    ),
    natsUrl: nats.url,
    user: 'auth',
    password: 'auth',
  });

const ask = <C extends RequestContract>(
  contract: C,
  input: InputOf<C>,
  context: RequestContext = anonymous,
): Promise<OutputOf<C>> => edge.request(contract, input, context);
const register = (name: string) => ask(requests.registerUser, { email: `${name}@example.org`, name, password });
const logIn = (name: string) => ask(requests.logIn, { email: `${name}@example.org`, password, ...client });
const logInAdmin = () => ask(requests.logIn, { ...admin, ...client });
const refresh = (refreshToken: string) => ask(requests.refreshSession, { refreshToken, ...client });

beforeAll(async () => {
  nats = await startNatsServer({ config: authorization(['auth', 'gateway']) });
  service = await start();
  gateway = await connectNats({ url: nats.url, user: 'gateway', password: 'gateway', name: 'test' });
  edge = new RequestClient(gateway);
});

afterAll(async () => {
  await gateway?.close();
  await service?.stop();
  await nats?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('auth service', () => {
  it('registers, logs in, and its tokens verify with the keys it publishes', async () => {
    const user = await register('ada');
    const pair = await logIn('ADA');
    expect(pair.user).toEqual({ ...user, lastLogInAt: clock.now() });
    const { keys } = await ask(requests.getSigningKeys, {});
    const { payload } = await jwtVerify(pair.accessToken, createLocalJWKSet({ keys }), {
      issuer: requests.TOKEN_ISSUER,
      audience: requests.TOKEN_AUDIENCE,
    });
    expect(payload).toMatchObject({ sub: user.id, email: 'ada@example.org', role: 'user', mcp: false });
    expect(JSON.stringify(keys)).not.toContain('"d"');
    expect(statSync(signingKeyFile).mode & 0o777).toBe(0o600);
    expect(await ask(requests.getProfile, { userId: user.id }, contextOf(user))).toEqual(pair.user);
  });

  it('says what is wrong with an input, field by field', async () => {
    await expect(ask(requests.registerUser, { email: 'nonsense', name: ' ', password: 'short' })).rejects.toMatchObject(
      {
        code: 'INPUT.INVALID',
        fields: expect.arrayContaining([
          expect.objectContaining({ path: 'email' }),
          expect.objectContaining({ path: 'password' }),
        ]) as unknown,
      },
    );
  });

  it('rotates refresh tokens and ends the session when a used one comes back', async () => {
    await register('bob');
    const first = await logIn('bob');
    const second = await refresh(first.refreshToken);
    await expect(refresh(first.refreshToken)).rejects.toMatchObject({ code: 'AUTH.REFRESH_RACE', retryable: true });
    const third = await refresh(second.refreshToken);
    clock.advance(11_000);
    await expect(refresh(second.refreshToken)).rejects.toMatchObject({ code: 'AUTH.TOKEN_REUSED' });
    await expect(refresh(third.refreshToken)).rejects.toMatchObject({ code: 'AUTH.SESSION_ENDED' });
  });

  it('logs out for good', async () => {
    const user = await register('carl');
    const pair = await logIn('carl');
    await ask(requests.logOut, { refreshToken: pair.refreshToken });
    await expect(refresh(pair.refreshToken)).rejects.toMatchObject({ code: 'AUTH.SESSION_ENDED' });
    expect(await ask(requests.listSessions, { userId: user.id }, contextOf(user))).toEqual({ sessions: [] });
  });

  it('locks an account after five failures and opens it with time', async () => {
    await register('dora');
    const wrong = () => ask(requests.logIn, { email: 'dora@example.org', password: 'wrong', ...client });
    for (let count = 0; count < 5; count += 1)
      await expect(wrong()).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
    await expect(logIn('dora')).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS', kind: 'limit' });
    clock.advance(30_000);
    await expect(logIn('dora')).resolves.toMatchObject({ user: { name: 'dora' } });
  });

  it('lets API keys speak for their owner until they are revoked', async () => {
    const user = await register('emil');
    const context = contextOf(user);
    const { key, apiKey } = await ask(requests.createApiKey, { userId: user.id, name: 'laptop' }, context);
    expect(await ask(requests.verifyApiKey, { key })).toEqual({ user, keyId: apiKey.id, scopes: apiKey.scopes });
    const { apiKeys } = await ask(requests.listApiKeys, { userId: user.id }, context);
    expect(apiKeys).toEqual([{ ...apiKey, lastUsedAt: clock.now() }]);
    expect(await ask(requests.revokeApiKey, { userId: user.id, keyId: apiKey.id }, context)).toMatchObject({
      revokedAt: clock.now(),
    });
    await expect(ask(requests.verifyApiKey, { key })).rejects.toMatchObject({ code: 'AUTH.API_KEY_INVALID' });
  });

  it('refuses strangers', async () => {
    const [fay, eve] = [await register('fay'), await register('eve')];
    const stranger = contextOf(eve);
    const userId = fay.id;
    const attempts = [
      ask(requests.getProfile, { userId }, stranger),
      ask(requests.updateProfile, { userId, name: 'x' }, stranger),
      ask(
        requests.changePassword,
        { userId, currentPassword: password, newPassword: 'another long password' },
        stranger,
      ),
      ask(requests.listSessions, { userId }, stranger),
      ask(requests.revokeSession, { userId, sessionId: 'x' }, stranger),
      ask(requests.createApiKey, { userId, name: 'x' }, stranger),
      ask(requests.listApiKeys, { userId }, stranger),
      ask(requests.revokeApiKey, { userId, keyId: 'x' }, stranger),
      ask(requests.listUsers, {}, stranger),
      ask(requests.changeRole, { userId, role: 'admin' }, stranger),
    ];
    for (const attempt of await Promise.allSettled(attempts)) {
      expect(attempt).toMatchObject({ status: 'rejected', reason: { kind: 'forbidden' } });
    }
    await expect(ask(requests.getProfile, { userId })).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  it('lets an admin manage roles', async () => {
    const { user: root } = await logInAdmin();
    expect(root).toMatchObject({ role: 'admin', mustChangePassword: false });
    const gil = await register('gil');
    const { users } = await ask(requests.listUsers, {}, contextOf(root));
    expect(users.map(({ email }) => email)).toEqual(expect.arrayContaining([admin.email, 'gil@example.org']));
    expect(await ask(requests.changeRole, { userId: gil.id, role: 'admin' }, contextOf(root))).toMatchObject({
      role: 'admin',
    });
    expect(await ask(requests.changeRole, { userId: gil.id, role: 'user' }, contextOf(root))).toMatchObject({
      role: 'user',
    });
    await expect(ask(requests.changeRole, { userId: root.id, role: 'user' }, contextOf(root))).rejects.toMatchObject({
      code: 'AUTH.LAST_ADMIN',
    });
  });

  it('changes a password and ends the other sessions', async () => {
    const user = await register('hugo');
    const other = await logIn('hugo');
    const newPassword = 'another long password';
    await ask(requests.changePassword, { userId: user.id, currentPassword: password, newPassword }, contextOf(user));
    await expect(refresh(other.refreshToken)).rejects.toMatchObject({ kind: 'unauthenticated' });
    await expect(logIn('hugo')).rejects.toMatchObject({ code: 'AUTH.WRONG_CREDENTIALS' });
    await expect(ask(requests.logIn, { email: user.email, password: newPassword, ...client })).resolves.toBeDefined();
  });

  it('finds users, sessions, keys, locks and the signing key again after a restart, and makes no second admin', async () => {
    const user = await register('iris');
    const pair = await logIn('iris');
    const { key, apiKey } = await ask(requests.createApiKey, { userId: user.id, name: 'laptop' }, contextOf(user));
    await ask(requests.verifyApiKey, { key });
    await register('jan');
    for (let count = 0; count < 5; count += 1) {
      await ask(requests.logIn, { email: 'jan@example.org', password: 'wrong', ...client }).catch(() => undefined);
    }
    const before = await ask(requests.getSigningKeys, {});
    const usedAt = clock.now();

    await service.stop();
    service = await start();

    expect(await ask(requests.getSigningKeys, {})).toEqual(before);
    const { apiKeys } = await ask(requests.listApiKeys, { userId: user.id }, contextOf(user));
    expect(apiKeys).toEqual([{ ...apiKey, lastUsedAt: usedAt }]);
    expect((await refresh(pair.refreshToken)).user).toEqual({ ...user, lastLogInAt: usedAt });
    await expect(logIn('jan')).rejects.toMatchObject({ code: 'AUTH.TOO_MANY_ATTEMPTS' });
    const { user: root } = await logInAdmin();
    const { users } = await ask(requests.listUsers, {}, contextOf(root));
    expect(users.filter(({ role }) => role === 'admin')).toHaveLength(1);
  });

  it('goes on after the broker was killed', async () => {
    const user = await register('kim');
    await nats.restart('SIGKILL');
    // What is asked while this side is still disconnected is lost, so it waits for its own connection first.
    await eventually(() => gateway.rtt(), { timeoutMs: 30_000 });
    const pair = await eventually(() => logIn('kim'), { timeoutMs: 30_000 });
    expect(pair.user.id).toBe(user.id);
    expect((await register('lea')).name).toBe('lea');
  });

  it('shares the work with a second replica: a session started by one is refreshed and ended by either, once', async () => {
    const second = await start();
    try {
      const user = await register('mia');
      // Requests go to either replica, which may be a few milliseconds behind the other.
      const pair = await eventually(() => logIn('mia'));
      const next = await eventually(() => refresh(pair.refreshToken));
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => refresh(next.refreshToken)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'AUTH.REFRESH_RACE' });
      }
      expect((await ask(requests.listSessions, { userId: user.id }, contextOf(user))).sessions).toHaveLength(1);
    } finally {
      await second.stop();
    }
  });

  it('keeps no password and no token in its stream', async () => {
    const user = await register('nora');
    const pair = await logIn('nora');
    const { key } = await ask(requests.createApiKey, { userId: user.id, name: 'k' }, contextOf(user));
    const stopping = new AbortController();
    let stored = '';
    await new JetStreamEventStore<AuthEvent>(service.nc, streams.auth).follow({
      fromSequence: 1,
      onCommit: ({ commit }) => {
        stored += JSON.stringify(commit);
      },
      onCaughtUp: () => stopping.abort(),
      signal: stopping.signal,
    });
    expect(stored).toContain(user.id);
    for (const secret of [password, admin.password, pair.refreshToken.slice(-43), key.slice(-43)])
      expect(stored).not.toContain(secret);
  });
});
