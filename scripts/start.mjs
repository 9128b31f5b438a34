#!/usr/bin/env node
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './install/build.mjs';
import { installNodePackages } from './install/node-packages.mjs';
import { DEMO_IMAGE, ensureDemoImage, prepareContainerEngine } from './parts/container-engine.mjs';
import { prepareNats } from './parts/nats.mjs';
import { replicaCounts } from './parts/replicas.mjs';
import { serviceProcesses, webProcess, workerProcess } from './parts/services.mjs';
import { ConsoleOutput } from './supervisor/console-output.mjs';
import { isPortFree, lockDataFolder, readCredentials } from './supervisor/data-folder.mjs';
import { Supervisor } from './supervisor/supervisor.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** @param {string} name @param {number} fallback */
function portFrom(name, fallback) {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`${name} is "${text}"; set it to a port number from 1 to 65535.`);
  return port;
}

/** @param {string} name @param {number} port @param {string} variable */
async function requirePort(name, port, variable) {
  if (!(await isPortFree(port))) {
    throw new Error(
      `Port ${port} (${name}) is taken by another program. Stop it, or choose another port: ${variable}=${port + 1000} npm start`,
    );
  }
}

async function main() {
  const startedAt = Date.now();
  const data = path.resolve(process.env['GANTRY_DATA'] ?? path.join(root, '.gantry'));
  const apiPort = portFrom('GANTRY_API_PORT', 4000);
  const webPort = portFrom('GANTRY_WEB_PORT', 3000);
  const { counts: replicas, notice } = replicaCounts(process.env);
  for (let index = 0; index < replicas.gateway; index += 1)
    await requirePort('API', apiPort + index, 'GANTRY_API_PORT');
  await requirePort('web page', webPort, 'GANTRY_WEB_PORT');
  await installNodePackages(root);
  await buildAll(root);
  const unlock = lockDataFolder(data);
  const output = new ConsoleOutput(path.join(data, 'log'), process.env['GANTRY_VERBOSE'] === 'true');
  const supervisor = new Supervisor(output);

  let ending = false;
  const end = async (/** @type {number} */ code) => {
    if (ending) {
      supervisor.killAll();
      process.exit(1);
    }
    ending = true;
    console.log('\nStopping (once more Ctrl-C ends at once) ...');
    await supervisor.stop();
    unlock();
    await output.close();
    console.log('Stopped. Everything is kept in', data);
    process.exit(code);
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => void end(0));
  if (process.env['npm_lifecycle_event'] !== undefined) endWithParent(() => void end(0));

  try {
    const settings = await startStores(supervisor, data, { apiPort, webPort, replicas });
    if (notice !== undefined) output.notice('replicas', notice);
    await supervisor.start(serviceProcesses(settings));
    process.on('SIGUSR2', () => supervisor.restartServices());
    await supervisor.start([workerProcess(settings), webProcess(settings)]);
    const demo = settings.dockerHost !== undefined && (await ensureDemoImage(settings.dockerHost, data));
    printWelcome({ supervisor, settings, demo, seconds: (Date.now() - startedAt) / 1000, logFile: output.path });
  } catch (error) {
    if (ending) return;
    console.error(`\nGantry could not start: ${error instanceof Error ? error.message : String(error)}`);
    await end(1);
  }
}

/**
 * npm runs this through a shell that dies of a signal without passing it on; the system must not outlive it unseen.
 * @param {() => void} end
 */
function endWithParent(end) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, 500);
  timer.unref();
}

/** The broker and the container engine; the services need both addresses. @param {Supervisor} supervisor @param {string} data @param {{ apiPort: number, webPort: number, replicas: import('./parts/replicas.mjs').ReplicaCounts }} ports */
async function startStores(supervisor, data, ports) {
  const credentials = readCredentials(data);
  const externalNats = process.env['NATS_URL'];
  const external = externalNats !== undefined && externalNats !== '';
  const nats = external ? undefined : await prepareNats({ root, data, credentials });
  const engine = await prepareContainerEngine({ data });
  await supervisor.start([
    ...(nats === undefined ? [] : [nats.process]),
    ...(engine.process === undefined ? [] : [engine.process]),
  ]);
  if (engine.notice !== undefined) supervisor.output.notice('docker', engine.notice);
  return {
    root,
    data,
    ...ports,
    workerId: credentials.workerId,
    ticketSecret: credentials.passwordOf('download-tickets'),
    natsUrl: nats?.url ?? externalNats ?? '',
    /** @param {string} name */
    login: (name) => {
      // A broker of the user's own has users of its own: NATS_USER and NATS_PASSWORD are passed on as they are.
      if (nats === undefined) return {};
      const user = name === 'worker' ? nats.workerUser : name;
      return { user, password: credentials.passwordOf(user) };
    },
    ...(engine.host === undefined ? {} : { dockerHost: engine.host }),
  };
}

/** @param {{ supervisor: Supervisor, settings: { apiPort: number, webPort: number }, demo: boolean, seconds: number, logFile: string }} facts */
function printWelcome({ supervisor, settings, demo, seconds, logFile }) {
  const logIn = supervisor.firstLogIn;
  const image = demo ? DEMO_IMAGE : 'busybox:latest';
  console.log(
    [
      '',
      `Gantry is ready (${seconds.toFixed(1)} s).`,
      '',
      `  Web page   http://localhost:${settings.webPort}`,
      `  API        http://localhost:${settings.apiPort}/graphql   REST: http://localhost:${settings.apiPort}/api/docs`,
      logIn === undefined
        ? '  Log in     with your account (the first password was printed at the first start)'
        : `  Log in     ${logIn.email}   password: ${logIn.password}   (shown only now; you choose your own at the first log-in)`,
      '',
      `  Try        npx gantry login && npx gantry run --image ${image} -- echo hello`,
      `  Messages   ${path.relative(process.cwd(), logFile) || logFile}   Stop: Ctrl-C`,
      '',
    ].join('\n'),
  );
}

// A closed terminal must not turn a message into a crash.
process.stdout.on('error', () => undefined);
fs.accessSync(root, fs.constants.R_OK);
await main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
