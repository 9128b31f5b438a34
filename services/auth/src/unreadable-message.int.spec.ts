import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as requests from '@gantry/contracts/auth/auth-requests';
import {
  type DeadLetter,
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from '@gantry/contracts/messaging/dead-letters';
import { servicePermissions } from '@gantry/contracts/messaging/permissions';
import { getHealth, type InputOf, type OutputOf, type RequestContract } from '@gantry/contracts/messaging/request';
import { subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { RequestClient } from '@gantry/jetstream/request-client';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthApplication } from './auth.application.js';
import { AuthModule } from './auth.module.js';
import { anonymous, client, contextOf, password } from './testing/application.fixture.js';

/** One message in AUTH that this version cannot read, between good ones; everybody under the broker user of production. */
const root = contextOf({ id: 'root', name: 'Root', role: 'admin' });
const folder = temporaryFolder('gantry-auth-unreadable');
const secret = 'hunter2-hunter2';

let nats: NatsServerFixture;
let gateway: NatsConnection;
let writer: NatsConnection;
let edge: RequestClient;
let running: RunningService[];

const connect = (user: string) => connectNats({ url: nats.url, user, password: user, name: 'test' });
const ask = <C extends RequestContract>(contract: C, input: InputOf<C>, context = anonymous): Promise<OutputOf<C>> =>
  edge.request(contract, input, context);

async function boot(): Promise<RunningService> {
  const settings = {
    signingKeyFile: join(folder, 'signing-key.pem'),
    AUTH_REGISTRATION: 'open',
    GANTRY_ADMIN_EMAIL: 'admin@gantry.local',
    GANTRY_ADMIN_PASSWORD: 'a long admin password',
  } as const;
  const module = AuthModule.register(settings);
  const service = await startTestService({ name: 'auth', module, natsUrl: nats.url, user: 'auth', password: 'auth' });
  running.push(service);
  return service;
}
async function halt(service: RunningService): Promise<void> {
  running = running.filter((other) => other !== service);
  await service.stop();
}

beforeEach(async () => {
  const users = (['auth', 'gateway'] as const).map((name) => {
    const { publish, subscribe } = servicePermissions[name];
    return `{ user: ${name}, password: "${name}", permissions: { publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)} } }`;
  });
  nats = await startNatsServer({ config: `authorization { users: [ ${users.join(', ')} ] }` });
  [gateway, writer] = await Promise.all([connect('gateway'), connect('auth')]);
  edge = new RequestClient(gateway);
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()));
  await gateway.close();
  await writer.close();
  await nats.stop();
  rmSync(folder, { recursive: true, force: true });
});

const commit = (userId: string, version: number, type: string, data: unknown) => ({
  ...{ id: randomUUID(), stream: 'AUTH', aggregateId: userId, version, schemaVersion: 1, occurredAt: Date.now() },
  ...{ actor: { kind: 'service', id: 'auth' }, correlationId: 'test', causationId: 'test' },
  events: [{ type, data }],
});
const register = (name: string) => ask(requests.registerUser, { email: `${name}@example.org`, name, password });
const logIn = (name: string) => ask(requests.logIn, { email: `${name}@example.org`, password, ...client });
const open = async (): Promise<DeadLetter[]> =>
  (await ask(listDeadLetters, { stream: 'AUTH', limit: 100 }, root)).deadLetters;
const letter = (): Promise<DeadLetter> =>
  eventually(async () => {
    const [found, ...others] = await open();
    expect(others).toEqual([]);
    if (found === undefined) throw new Error('no letter');
    return found;
  });
const replay = ({ id }: DeadLetter, by = root) => ask(replayDeadLetter('AUTH', 'auth-directory'), { id }, by);
const health = () => ask(getHealth('auth'), {}, root);
const nameOf = (service: RunningService, userId: string) =>
  service.app.get(AuthApplication).directory.user(userId)?.name;

describe.each([
  [
    'is not JSON',
    (userId: string) => publishBytes(writer, subjects.authUser(userId), Buffer.from(secret)),
    'STORE.NOT_A_COMMIT',
  ],
  [
    'does not fit its contract',
    (userId: string) =>
      publishJson(writer, subjects.authUser(userId), commit(userId, 2, 'ProfileUpdated', { name: 7, secret })),
    'STORE.UNFIT_EVENT',
  ],
  [
    'holds an event of a newer version',
    (userId: string) =>
      publishJson(writer, subjects.authUser(userId), commit(userId, 2, 'UserMerged', { userId, secret })),
    'AUTH.UNKNOWN_EVENT',
  ],
])('a message that %s', (_what, poison, code) => {
  it('stops one user, until an admin decides; others log in, and every process shows the same', async () => {
    const [first, second] = [await boot(), await boot()];
    const sick = await register('sick');
    await register('well');
    const { sequence } = await poison(sick.id);
    const behind = { userId: sick.id, name: 'Renamed', at: Date.now() };
    await publishJson(writer, subjects.authUser(sick.id), commit(sick.id, 3, 'ProfileUpdated', behind));
    const found = await letter();
    expect(found).toMatchObject({ consumer: 'auth-directory', sequence, code, state: 'open' });
    expect(JSON.stringify(found)).not.toContain('hunter');
    if (code === 'STORE.NOT_A_COMMIT') expect((await ask(getDeadLetter, { id: found.id }, root)).payload).toBeNull();
    expect((await logIn('well')).user.name).toBe('well');
    await register('later');
    expect(await health()).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringContaining(`dead letter ${found.id}`)],
    });
    const rename = () => ask(requests.updateProfile, { userId: sick.id, name: 'Mine' }, contextOf(sick));
    await expect(rename()).rejects.toMatchObject({
      code: 'STORE.UNREADABLE_HISTORY',
      message:
        'The history of this user holds a message that cannot be read; an admin finds it among the dead letters.',
    });
    expect([nameOf(first, sick.id), nameOf(second, sick.id)]).toEqual(['sick', 'sick']);

    await halt(second);
    const third = await boot();
    expect(nameOf(third, sick.id)).toBe('sick');
    expect(await letter()).toEqual(found);
    await expect(replay(found, contextOf(sick))).rejects.toMatchObject({ code: 'AUTH.ADMIN_ONLY' });
    await expect(ask(discardDeadLetter, { id: found.id }, contextOf(sick))).rejects.toMatchObject({
      code: 'AUTH.ADMIN_ONLY',
    });
    await expect(replay(found)).rejects.toMatchObject({ code: 'DEAD_LETTER.FAILED_AGAIN' });

    await ask(discardDeadLetter, { id: found.id }, root);
    for (const service of [first, third]) await eventually(() => expect(nameOf(service, sick.id)).toBe('Renamed'));
    await eventually(async () => expect((await health()).status).toBe('healthy'));
    expect((await eventually(rename)).name).toBe('Mine');
    expect(nameOf(await boot(), sick.id)).toBe('Mine');
    expect(await open()).toEqual([]);
  });
});

it('a key is not accepted while its history cannot be read, which may be its revocation', async () => {
  await boot();
  const owner = await register('owner');
  const keyOf = (name: string) =>
    ask(requests.createApiKey, { userId: owner.id, name, scopes: ['tasks:read'] }, contextOf(owner));
  const [sick, well] = [await keyOf('sick'), await keyOf('well')];
  await publishBytes(writer, subjects.authKey(sick.apiKey.id), Buffer.from('?'));
  const found = await letter();
  await expect(ask(requests.verifyApiKey, { key: sick.key })).rejects.toMatchObject({ code: 'AUTH.API_KEY_INVALID' });
  expect((await ask(requests.verifyApiKey, { key: well.key })).user.id).toBe(owner.id);
  await ask(discardDeadLetter, { id: found.id }, root);
  await eventually(() => ask(requests.verifyApiKey, { key: sick.key }));
});
