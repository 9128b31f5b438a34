import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as requests from '@gantry/contracts/auth/auth-requests';
import type { InputOf, OutputOf, RequestContext, RequestContract } from '@gantry/contracts/messaging/request';
import { connectNats } from '@gantry/jetstream/connect';
import { RequestClient } from '@gantry/jetstream/request-client';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import { GantryError } from '@gantry/kernel/gantry-error';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { ServiceProcess } from '@gantry/testing/service-process.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthModule } from './auth.module.js';
import { anonymous, client, contextOf, password } from './testing/application.fixture.js';

const program = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));
const data = temporaryFolder('gantry-auth-replicas');

let nats: NatsServerFixture;
let nc: NatsConnection;
let replicas: ServiceProcess[] = [];

const ask = <C extends RequestContract>(
  contract: C,
  input: InputOf<C>,
  context: RequestContext = anonymous,
): Promise<OutputOf<C>> => new RequestClient(nc).request(contract, input, context);

beforeAll(async () => {
  nats = await startNatsServer();
  nc = await connectNats({ url: nats.url, name: 'test' });
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await nc?.close();
  await nats?.stop();
  rmSync(data, { recursive: true, force: true });
});

describe('two processes', () => {
  it('started at the same moment show one first password, and it is the right one', async () => {
    const environment = { NATS_URL: nats.url, GANTRY_DATA: data };
    replicas = await Promise.all([
      ServiceProcess.start(program, environment),
      ServiceProcess.start(program, environment),
    ]);
    const shown = replicas.flatMap(({ output }) => [...output.matchAll(/First log-in: (\S+) with password (\S+)/g)]);
    expect(shown).toHaveLength(1);
    const [, email = '', secret = ''] = shown[0] ?? [];
    const { user } = await ask(requests.logIn, { email, password: secret, ...client });
    expect(user.role).toBe('admin');
  });

  it('know at once who registered, logged in, refreshed or made a key at the other one', async () => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const email = `user-${index}@example.org`;
        await ask(requests.registerUser, { email, name: `User ${index}`, password });
        const { user, ...first } = await ask(requests.logIn, { email, password, ...client });
        let { refreshToken } = first;
        for (let round = 0; round < 5; round += 1) {
          ({ refreshToken } = await ask(requests.refreshSession, { refreshToken, ...client }));
          const key = { userId: user.id, name: `key-${round}`, scopes: ['tasks:read'] as const };
          const created = await ask(requests.createApiKey, { ...key, scopes: [...key.scopes] }, contextOf(user));
          expect((await ask(requests.verifyApiKey, { key: created.key })).user.id).toBe(user.id);
          await ask(requests.revokeApiKey, { userId: user.id, keyId: created.apiKey.id }, contextOf(user));
          await expect(ask(requests.verifyApiKey, { key: created.key })).rejects.toMatchObject({
            code: 'AUTH.API_KEY_INVALID',
          });
        }
        await ask(requests.logOut, { refreshToken });
        await expect(ask(requests.refreshSession, { refreshToken, ...client })).rejects.toMatchObject({
          kind: 'unauthenticated',
        });
      }),
    );
  });

  it('rotate a refresh token once, however many bring it at the same moment', async () => {
    const account = { email: 'tabs@example.org', password };
    await ask(requests.registerUser, { ...account, name: 'Tabs' });
    const { refreshToken } = await ask(requests.logIn, { ...account, ...client });
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () => ask(requests.refreshSession, { refreshToken, ...client })),
    );
    const won = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const lost = tries.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as GantryError] : []));
    expect(won).toHaveLength(1);
    expect(lost.map(({ code }) => code)).toEqual(Array.from({ length: 9 }, () => 'AUTH.REFRESH_RACE'));
    await ask(requests.refreshSession, { refreshToken: won[0]!.refreshToken, ...client });
  });

  it('count failed log-ins of an account together', async () => {
    const account = { email: 'guessed@example.org', password };
    await ask(requests.registerUser, { ...account, name: 'Guessed' });
    for (let guess = 0; guess < 5; guess += 1) {
      await expect(ask(requests.logIn, { ...account, password: `guess ${guess}`, ...client })).rejects.toMatchObject({
        code: 'AUTH.WRONG_CREDENTIALS',
      });
    }
    // Ten times, so that both are asked.
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () => ask(requests.logIn, { ...account, ...client })),
    );
    expect(
      tries.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as GantryError).code : 'in')),
    ).toEqual(Array.from({ length: 10 }, () => 'AUTH.TOO_MANY_ATTEMPTS'));
  });
});

it('no question is answered before the directory shows what was stored when it came', async () => {
  await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
  const settings = {
    signingKeyFile: join(data, 'auth', 'signing-key.pem'),
    AUTH_REGISTRATION: 'open' as const,
    GANTRY_ADMIN_EMAIL: 'admin@gantry.local',
    GANTRY_ADMIN_PASSWORD: 'a long admin password',
  };
  const service = await startTestService({ name: 'auth', module: AuthModule.register(settings), natsUrl: nats.url });
  try {
    const behind = new GantryError('STORE.BEHIND', 'unavailable', 'Try again.');
    vi.spyOn(service.app.get(StreamBarrier), 'reach').mockRejectedValue(behind);
    const account = { email: 'user-1@example.org', password };
    for (const question of [
      ask(requests.logIn, { ...account, ...client }),
      ask(requests.verifyApiKey, { key: 'gtk_x_y' }),
      ask(requests.refreshSession, { refreshToken: 'gtr_x_y', ...client }),
      ask(requests.registerUser, { ...account, name: 'Again' }),
      ask(requests.getSigningKeys, {}),
    ]) {
      await expect(question).rejects.toMatchObject({ code: 'STORE.BEHIND', retryable: true });
    }
  } finally {
    await service.stop();
  }
});
