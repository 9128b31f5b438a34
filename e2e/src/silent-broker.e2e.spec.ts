import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '@gantry/testing/eventually';
import { freePort } from '@gantry/testing/free-port';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterEach, expect, it } from 'vitest';
import { answersInfo, answersJetStream } from '../../scripts/parts/nats-probe.mjs';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.mjs';

const login = { user: 'probe', password: 'probe' };
let broker: ManagedProcess | undefined;
const notices: string[] = [];

afterEach(async () => broker?.stop(1_000));

/** A real broker under the supervisor's watch, asked more often than usual. */
async function watchedBroker(): Promise<ManagedProcess> {
  const folder = temporaryFolder('gantry-silent-broker');
  const port = await freePort();
  const config = path.join(folder, 'nats.conf');
  const account = `authorization { users: [{ user: ${login.user}, password: ${login.password} }] }`;
  fs.writeFileSync(config, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}/store" }\n${account}\n`);
  return new ManagedProcess(
    {
      name: 'nats',
      command: 'nats-server',
      args: ['--config', config],
      env: process.env,
      probe: () => answersInfo('127.0.0.1', port),
      answers: () => answersJetStream('127.0.0.1', port, login, 500),
      checkEveryMs: 100,
    },
    { line: () => undefined, notice: (_, text) => void notices.push(text), message: () => undefined },
  );
}

it('a broker that runs but answers nothing is ended and started again', async () => {
  broker = await watchedBroker();
  await broker.start();
  const first = broker.pid ?? 0;
  expect(first).toBeGreaterThan(0);
  process.kill(first, 'SIGSTOP');
  await eventually(() => expect(notices).toContain('ready again'), { timeoutMs: 30_000 });
  expect(notices[0]).toContain('does not answer');
  expect(broker.pid).not.toBe(first);
  expect(() => process.kill(first, 0)).toThrow();
});

it('a broker that answers is left alone', async () => {
  notices.length = 0;
  broker = await watchedBroker();
  await broker.start();
  const { pid } = broker;
  let asked = 0;
  await eventually(async () => {
    expect(await broker?.definition.answers?.()).toBe(true);
    asked += 1;
    expect(asked).toBeGreaterThan(20);
  });
  expect(broker.pid).toBe(pid);
  expect(notices).toEqual([]);
});
