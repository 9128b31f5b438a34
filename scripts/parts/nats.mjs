import fs from 'node:fs';
import path from 'node:path';
import { requireProgram } from '../install/system-package.mjs';
import { endLeftover, freePort } from '../supervisor/data-folder.mjs';
import { answersInfo, answersJetStream } from './nats-probe.mjs';

/** For backups, and to ask whether the broker still answers. */
const OPERATOR = 'operator';

const INSTRUCTIONS = [
  'Install it and start again:',
  '  Debian/Ubuntu: apt-get install nats-server',
  '  macOS:         brew install nats-server',
  '  others:        https://docs.nats.io/running-a-nats-service/introduction/installation',
  'or point NATS_URL at a running server that has JetStream enabled.',
].join('\n');

/** @param {string} text quoted for the server's configuration */
const quoted = (text) => JSON.stringify(text);

/** @param {{ user: string, password: string, permissions: { publish: readonly string[], subscribe: readonly string[] } }} account */
function userBlock({ user, password, permissions }) {
  const list = (/** @type {readonly string[]} */ subjects) => `[${subjects.map(quoted).join(', ')}]`;
  return `    { user: ${quoted(user)}, password: ${quoted(password)}, permissions: { publish: ${list(permissions.publish)}, subscribe: ${list(permissions.subscribe)} } }`;
}

/**
 * The embedded broker: a nats-server child on a free loopback port, one user per service and worker, each allowed only its
 * own subjects. `host`, `workers` and `observers` (users that may do anything) are for systems of several agents under test.
 * @param {{
 *   root: string, data: string, credentials: ReturnType<typeof import('../supervisor/data-folder.mjs').readCredentials>,
 *   host?: string, workers?: readonly string[], observers?: readonly string[],
 * }} options
 */
export async function prepareNats({
  root,
  data,
  credentials,
  host = '127.0.0.1',
  workers = [credentials.workerId],
  observers = [],
}) {
  const program = await requireProgram({
    program: 'nats-server',
    packages: ['nats-server'],
    instructions: INSTRUCTIONS,
  });
  const folder = path.join(data, 'nats');
  const pidFile = path.join(folder, 'nats.pid');
  fs.mkdirSync(folder, { recursive: true });
  await endLeftover(pidFile, 'nats-server', folder);
  /** @type {typeof import('../../libs/contracts/src/messaging/permissions.js')} */
  const { operatorPermissions, servicePermissions, workerPermissions } = await import(
    path.join(root, 'libs/contracts/dist/messaging/permissions.js')
  );
  const accounts = Object.entries(servicePermissions).map(([user, permissions]) => ({
    user,
    password: credentials.passwordOf(user),
    permissions,
  }));
  const addAccount = (
    /** @type {string} */ user,
    /** @type {(typeof accounts)[number]['permissions']} */ permissions,
  ) => accounts.push({ user, password: credentials.passwordOf(user), permissions });
  addAccount(OPERATOR, operatorPermissions);
  for (const worker of workers) addAccount(`worker-${worker}`, workerPermissions(worker));
  for (const observer of observers) addAccount(observer, { publish: ['>'], subscribe: ['>'] });
  const port = await freePort();
  const config = path.join(folder, 'nats.conf');
  fs.writeFileSync(
    config,
    [
      `listen: "${host}:${port}"`,
      'server_name: "gantry"',
      `pid_file: ${quoted(pidFile)}`,
      'max_payload: 1MB',
      'max_pending: 256MB',
      'write_deadline: "10s"',
      'jetstream {',
      `  store_dir: ${quoted(path.join(folder, 'jetstream'))}`,
      '  max_memory_store: 512MB',
      '}',
      'authorization {',
      '  users = [',
      accounts.map(userBlock).join(',\n'),
      '  ]',
      '}',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  return {
    url: `nats://${host}:${port}`,
    workerUser: `worker-${credentials.workerId}`,
    /** @type {import('../supervisor/managed-process.mjs').ProcessDefinition} */
    process: {
      name: 'nats',
      command: program,
      args: ['--config', config],
      env: process.env,
      readyTimeoutMs: 120_000,
      probe: () => answersInfo(host, port),
      answers: () => answersJetStream(host, port, { user: OPERATOR, password: credentials.passwordOf(OPERATOR) }),
    },
  };
}
