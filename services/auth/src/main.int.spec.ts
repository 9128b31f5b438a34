import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as requests from '@gantry/contracts/auth/auth-requests';
import { connectNats } from '@gantry/jetstream/connect';
import { RequestClient } from '@gantry/jetstream/request-client';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anonymous, client, contextOf, password } from './testing/application.fixture.js';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const data = temporaryFolder('gantry-auth-main');

interface Run {
  readonly child: ChildProcess;
  readonly messages: { type: string; email?: string; password?: string }[];
  output: string;
  readonly exited: Promise<number | null>;
}

let nats: NatsServerFixture;

function launch(environment: NodeJS.ProcessEnv): Run {
  const child = fork(program, {
    env: { PATH: process.env['PATH'], ...environment },
    // The test runner resolves packages to their sources; the program runs what was built.
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const run: Run = { child, messages: [], output: '', exited };
  child.on('message', (message) => run.messages.push(message as Run['messages'][number]));
  const take = (chunk: Buffer) => {
    run.output += chunk.toString();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return run;
}

async function ready(run: Run): Promise<void> {
  const isReady = new Promise<void>((resolve) => {
    run.child.on('message', (message) => (message as { type: string }).type === 'ready' && resolve());
  });
  const ended = run.exited.then((code) => Promise.reject(new Error(`ended with ${code}:\n${run.output}`)));
  await Promise.race([isReady, ended]);
}

beforeAll(async () => {
  expect(existsSync(program), 'build the package first').toBe(true);
  nats = await startNatsServer();
});

afterAll(async () => {
  await nats?.stop();
  rmSync(data, { recursive: true, force: true });
});

describe('auth process', () => {
  it('shows the first password once, outside the log, and leaves quietly on SIGTERM', async () => {
    const environment = { NATS_URL: nats.url, GANTRY_DATA: data };
    const first = launch(environment);
    await ready(first);
    const shown = first.messages.find(({ type }) => type === 'first-log-in');
    expect(shown).toMatchObject({
      email: 'admin@gantry.local',
      password: expect.stringMatching(/^[\w-]{24}$/) as unknown,
    });
    const secret = shown?.password ?? '';
    const lines = first.output.split('\n').filter((line) => line.includes(secret));
    expect(lines).toEqual([expect.stringMatching(/^First log-in: admin@gantry\.local with password /)]);
    expect(existsSync(join(data, 'auth', 'signing-key.pem'))).toBe(true);

    const nc = await connectNats({ url: nats.url, name: 'test' });
    const edge = new RequestClient(nc);
    const { user } = await edge.request(
      requests.logIn,
      { email: 'admin@gantry.local', password: secret, ...client },
      anonymous,
    );
    expect(user).toMatchObject({ role: 'admin', mustChangePassword: true });
    await expect(edge.request(requests.listUsers, {}, contextOf(user))).rejects.toMatchObject({
      code: 'AUTH.PASSWORD_CHANGE_REQUIRED',
    });
    const changed = await edge.request(
      requests.changePassword,
      { userId: user.id, currentPassword: secret, newPassword: password },
      contextOf(user),
    );
    expect(changed.mustChangePassword).toBe(false);
    await nc.close();

    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);

    const second = launch(environment);
    await ready(second);
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
    expect(second.messages.map(({ type }) => type)).toEqual(['ready']);
    expect(first.output + second.output).not.toContain(password);
  });

  it('names every wrong variable and does not start', async () => {
    const run = launch({
      NATS_URL: nats.url,
      GANTRY_DATA: data,
      GANTRY_ADMIN_PASSWORD: 'short',
      AUTH_REGISTRATION: 'maybe',
    });
    expect(await run.exited).not.toBe(0);
    expect(run.output).toContain('GANTRY_ADMIN_PASSWORD: Use at least 10 characters.');
    expect(run.output).toContain('AUTH_REGISTRATION');
    expect(run.output).not.toContain('"short"');
  });
});
