import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { REPLICATED } from './replicas.mjs';

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
 * @property {import('./replicas.mjs').ReplicaCounts} replicas
 * @property {string} ticketSecret signs download links, the same for every gateway
 */

/** @param {Settings} settings @returns {import('../supervisor/managed-process.mjs').ProcessDefinition[]} */
export function serviceProcesses(settings) {
  return REPLICATED.flatMap((service) =>
    Array.from({ length: settings.replicas[service] }, (_, index) => {
      const main = path.join('services', service, 'dist/bundle/main.js');
      const extra = service === 'gateway' ? gatewayEnvironment(settings, index) : {};
      const name = index === 0 ? service : `${service}-${index + 1}`;
      return { ...nodeProcess(settings, name, main, extra, settings.login(service)), rolling: true };
    }),
  );
}

/** Every gateway has a port of its own, counted up from the first one's. @param {Settings} settings @param {number} index */
function gatewayEnvironment({ webPort, apiPort, ticketSecret }, index) {
  return {
    GANTRY_API_PORT: String(apiPort + index),
    GANTRY_WEB_ORIGINS: process.env['GANTRY_WEB_ORIGINS'] ?? `http://localhost:${webPort},http://127.0.0.1:${webPort}`,
    GANTRY_TICKET_SECRET: process.env['GANTRY_TICKET_SECRET'] ?? ticketSecret,
  };
}

/** @param {Settings} settings */
export function workerProcess(settings) {
  return nodeProcess(
    settings,
    'worker',
    'agents/worker/dist/main.js',
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
 * Messages live for milliseconds: with more room for the young (MiB, used only under load) fewer of them are copied before they die. Not more: every
 * request waits while they are collected.
 */
const nodeFlags = ['--enable-source-maps', '--max-semi-space-size=32'];

/**
 * @param {Settings} settings @param {string} name @param {string} program @param {NodeJS.ProcessEnv} extra
 * @param {{ user?: string, password?: string }} login
 * @returns {import('../supervisor/managed-process.mjs').ProcessDefinition}
 */
function nodeProcess(settings, name, program, extra, login) {
  const main = path.join(settings.root, program);
  if (!fs.existsSync(main)) throw new Error(`${main} is missing: run "npm run build" and look at its messages.`);
  return {
    name,
    command: process.execPath,
    args: [...nodeFlags, main],
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
