import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

/**
 * @typedef {object} Settings
 * @property {string} root
 * @property {string} data
 * @property {number} apiPort
 * @property {number} webPort
 * @property {string} natsUrl
 * @property {(name: string) => { user?: string, password?: string }} login broker user of a part
 * @property {string} workerId
 * @property {string} [dockerHost]
 */

/** @param {Settings} settings @returns {import('../supervisor/managed-process.mjs').ProcessDefinition[]} */
export function serviceProcesses(settings) {
  return [...['auth', 'tasks', 'scheduler', 'telemetry'].map((name) => service(settings, name, {})), gateway(settings)];
}

/** @param {Settings} settings @param {string} name @param {NodeJS.ProcessEnv} extra */
function service(settings, name, extra) {
  return nodeProcess(settings, name, path.join('services', name), extra, settings.login(name));
}

/** @param {Settings} settings */
function gateway(settings) {
  const { webPort, apiPort } = settings;
  const origins = process.env['GANTRY_WEB_ORIGINS'] ?? `http://localhost:${webPort},http://127.0.0.1:${webPort}`;
  return service(settings, 'gateway', { GANTRY_API_PORT: String(apiPort), GANTRY_WEB_ORIGINS: origins });
}

/** @param {Settings} settings */
export function workerProcess(settings) {
  return nodeProcess(
    settings,
    'worker',
    'agents/worker',
    {
      GANTRY_DATA: path.join(settings.data, 'worker'),
      GANTRY_WORKER_ID: settings.workerId,
      ...(settings.dockerHost === undefined
        ? { GANTRY_WORKER_RUNTIME: 'process' }
        : { DOCKER_HOST: settings.dockerHost }),
      // The engine may end with this command, so nothing may be left running; what ran is placed again at the next start.
      GANTRY_WORKER_STOP_TASKS_ON_EXIT: 'true',
    },
    settings.login('worker'),
  );
}

/** @param {Settings} settings @returns {import('../supervisor/managed-process.mjs').ProcessDefinition} */
export function webProcess(settings) {
  const folder = path.join(settings.root, 'apps/web/.next/standalone/apps/web');
  return {
    name: 'web',
    command: process.execPath,
    args: [path.join(folder, 'server.js')],
    cwd: folder,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(settings.webPort),
      HOSTNAME: process.env['GANTRY_WEB_HOST'] ?? '127.0.0.1',
      GANTRY_API_PORT: String(settings.apiPort),
      NEXT_TELEMETRY_DISABLED: '1',
    },
    probe: () => answers(settings.webPort, '/login'),
  };
}

/**
 * @param {Settings} settings @param {string} name @param {string} folder @param {NodeJS.ProcessEnv} extra
 * @param {{ user?: string, password?: string }} login
 * @returns {import('../supervisor/managed-process.mjs').ProcessDefinition}
 */
function nodeProcess(settings, name, folder, extra, login) {
  const main = path.join(settings.root, folder, 'dist/main.js');
  if (!fs.existsSync(main)) throw new Error(`${main} is missing: run "npm run build" and look at its messages.`);
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', main],
    cwd: settings.data,
    ipc: true,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      GANTRY_DATA: settings.data,
      NATS_URL: settings.natsUrl,
      ...(login.user === undefined ? {} : { NATS_USER: login.user, NATS_PASSWORD: login.password }),
      ...extra,
    },
  };
}

/** @param {number} port @param {string} pathname @returns {Promise<boolean>} */
function answers(port, pathname) {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: pathname, timeout: 2_000 }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
