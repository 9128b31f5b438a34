import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { runCommand } from '../install/run-command.mjs';
import { canInstallPackages, findProgram, installPackages } from '../install/system-package.mjs';
import { endLeftover } from '../supervisor/data-folder.mjs';

const DEFAULT_SOCKET = '/var/run/docker.sock';
export const DEMO_IMAGE = 'gantry/demo:latest';

/** @param {string} host unix:// or tcp:// address @param {string} pathname @returns {Promise<number>} status; 0 = no answer */
function engineStatus(host, pathname) {
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  const target = host.startsWith('unix:')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: url.hostname, port: url.port };
  return new Promise((resolve) => {
    const request = http.get({ ...target, path: pathname, timeout: 3_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}

/**
 * Chooses what runs containers: the engine of DOCKER_HOST or of the default socket; else, on Debian as root, a private
 * engine with its data under the data folder; else none, and the worker falls back to the sandboxed process runtime.
 * @param {{ data: string }} options
 * @returns {Promise<{ host?: string, notice?: string, process?: import('../supervisor/managed-process.mjs').ProcessDefinition }>}
 */
export async function prepareContainerEngine({ data }) {
  const given = process.env['DOCKER_HOST'];
  if (given !== undefined && given !== '') {
    if ((await engineStatus(given, '/_ping')) === 200) return { host: given };
    throw new Error(`DOCKER_HOST is ${given}, but no engine answers there. Start it, or unset DOCKER_HOST.`);
  }
  if (fs.existsSync(DEFAULT_SOCKET) && (await engineStatus(`unix://${DEFAULT_SOCKET}`, '/_ping')) === 200)
    return { host: `unix://${DEFAULT_SOCKET}` };
  if (findProgram('dockerd') === undefined && canInstallPackages()) {
    await installPackages(['docker.io', 'iptables', 'iproute2']);
  }
  const program = findProgram('dockerd');
  if (program !== undefined && process.getuid?.() === 0) return privateEngine(program, data);
  return {
    notice:
      'No Docker engine answers, so tasks run as sandboxed processes of this machine: their image is ignored. ' +
      'Start Docker (or set DOCKER_HOST) and restart Gantry to run containers.',
  };
}

/**
 * An engine of its own with its data, sockets and bridge; needs root.
 * @param {string} program path of dockerd @param {string} data @param {string[]} [options] more options of dockerd
 */
export async function privateEngine(program, data, options = []) {
  const folder = path.join(data, 'docker');
  // Socket paths are limited to 108 bytes, so run-time files live in a short folder named after the data folder.
  const name = createHash('sha256').update(data).digest('hex').slice(0, 8);
  const runFolder = path.join(os.tmpdir(), `gantry-engine-${name}`);
  fs.mkdirSync(folder, { recursive: true });
  fs.mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  const socket = path.join(runFolder, 'docker.sock');
  const pidFile = path.join(runFolder, 'docker.pid');
  await endLeftover(pidFile, 'dockerd', folder);
  const bridge = `gtry${name.slice(0, 6)}`;
  const network = await ensureBridge(bridge, name);
  const host = `unix://${socket}`;
  return {
    host,
    process: {
      name: 'docker',
      command: program,
      args: [
        '--host',
        host,
        '--data-root',
        folder,
        '--exec-root',
        path.join(runFolder, 'exec'),
        '--pidfile',
        pidFile,
        '--log-level',
        'error',
        // Containers go on when only the engine is restarted after a crash.
        '--live-restore',
        ...network,
        ...options,
      ],
      env: process.env,
      readyTimeoutMs: 60_000,
      // Engines that start at the same moment make the same chains in the machine's packet filter, and all but one of them give up.
      startTries: 5,
      probe: async () => (await engineStatus(host, '/_ping')) === 200,
      cleanup: () => removeBridge(bridge),
    },
  };
}

/**
 * A bridge of its own: a second engine on a host that shares or lacks `docker0` would break the other's network.
 * @param {string} bridge @param {string} name @returns {Promise<string[]>} engine options
 */
async function ensureBridge(bridge, name) {
  const ip = findProgram('ip');
  if (ip === undefined) return ['--bridge=none'];
  try {
    if (!fs.existsSync(`/sys/class/net/${bridge}`)) {
      const third = parseInt(name.slice(0, 2), 16);
      await runCommand(ip, ['link', 'add', bridge, 'type', 'bridge'], { quiet: true });
      await runCommand(ip, ['addr', 'add', `10.213.${third}.1/24`, 'dev', bridge], { quiet: true });
      await runCommand(ip, ['link', 'set', bridge, 'up'], { quiet: true });
    }
    return [`--bridge=${bridge}`, ...(findProgram('iptables') === undefined ? ['--iptables=false'] : [])];
  } catch {
    return ['--bridge=none', '--iptables=false'];
  }
}

/** @param {string} bridge */
async function removeBridge(bridge) {
  const ip = findProgram('ip');
  if (ip !== undefined && fs.existsSync(`/sys/class/net/${bridge}`))
    await runCommand(ip, ['link', 'delete', bridge], { quiet: true });
}

/**
 * A small image to start with, made from Debian's static busybox, so that the first task runs without any registry.
 * @param {string} host @param {string} data
 * @returns {Promise<boolean>} whether the image is there
 */
export async function ensureDemoImage(host, data) {
  if ((await engineStatus(host, `/images/${DEMO_IMAGE}/json`)) === 200) return true;
  let busybox = staticBusybox();
  if (busybox === undefined && canInstallPackages()) {
    await installPackages(['busybox-static']);
    busybox = staticBusybox();
  }
  const docker = findProgram('docker');
  if (busybox === undefined || docker === undefined) return false;
  const folder = path.join(data, 'demo-image');
  fs.rmSync(folder, { recursive: true, force: true });
  for (const part of ['bin', 'tmp', 'etc', 'root', 'output'])
    fs.mkdirSync(path.join(folder, part), { recursive: true });
  fs.chmodSync(path.join(folder, 'tmp'), 0o1777);
  fs.copyFileSync(busybox, path.join(folder, 'bin/busybox'));
  fs.writeFileSync(
    path.join(folder, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n',
  );
  fs.writeFileSync(path.join(folder, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  const applets = await runCommand(busybox, ['--list'], { quiet: true });
  for (const applet of applets.split('\n').filter((line) => line !== '' && line !== 'busybox')) {
    fs.symlinkSync('busybox', path.join(folder, 'bin', applet));
  }
  const archive = path.join(data, 'demo-image.tar');
  await runCommand('tar', ['-C', folder, '--owner=0', '--group=0', '-cf', archive, '.'], { quiet: true });
  await runCommand(
    docker,
    ['--host', host, 'import', '--change', 'ENV PATH=/bin', '--change', 'CMD ["sh"]', archive, DEMO_IMAGE],
    { quiet: true },
  );
  fs.rmSync(folder, { recursive: true, force: true });
  fs.rmSync(archive, { force: true });
  return true;
}

function staticBusybox() {
  const candidate = findProgram('busybox');
  return candidate !== undefined && isStatic(fs.readFileSync(candidate)) ? candidate : undefined;
}

/**
 * True for an ELF program that names no loader (no PT_INTERP header): a dynamically linked one would miss its libraries in an
 * empty image. Layout of a 64-bit little-endian file: program headers at e_phoff (0x20), their size at 0x36, count at 0x38.
 * @param {Buffer} elf
 */
function isStatic(elf) {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) return false;
  const [offset, size, count] = [Number(elf.readBigUInt64LE(0x20)), elf.readUInt16LE(0x36), elf.readUInt16LE(0x38)];
  const PT_INTERP = 3;
  return !Array.from({ length: count }, (_, index) => elf.readUInt32LE(offset + index * size)).includes(PT_INTERP);
}
