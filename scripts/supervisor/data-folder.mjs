import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** One running Gantry per data folder: two would write the same stores. @param {string} data @returns {() => void} release */
export function lockDataFolder(data) {
  fs.mkdirSync(data, { recursive: true, mode: 0o700 });
  const file = path.join(data, 'supervisor.pid');
  const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
  if (pid > 0 && pid !== process.pid && isAlive(pid) && commandLine(pid).includes('start.mjs')) {
    throw new Error(
      `Gantry is running already on ${data} (process ${pid}). Stop it first, or choose another folder with GANTRY_DATA.`,
    );
  }
  fs.writeFileSync(file, String(process.pid));
  return () => fs.rmSync(file, { force: true });
}

/** @param {number} pid */
function commandLine(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/**
 * Ends a program that an earlier, killed supervisor left behind: only if the process with the recorded pid still is that
 * program on this data folder.
 * @param {string} pidFile @param {string} program @param {string} data
 */
export async function endLeftover(pidFile, program, data) {
  if (!fs.existsSync(pidFile)) return;
  const pid = Number(fs.readFileSync(pidFile, 'utf8'));
  const isOurs = () => pid > 0 && isAlive(pid) && commandLine(pid).includes(program) && commandLine(pid).includes(data);
  if (isOurs()) {
    process.kill(pid, 'SIGTERM');
    for (let waited = 0; waited < 10_000 && isOurs(); waited += 100)
      await new Promise((resolve) => setTimeout(resolve, 100));
    if (isOurs()) process.kill(pid, 'SIGKILL');
  }
  fs.rmSync(pidFile, { force: true });
}

/** Passwords of the broker's users and this machine's worker id, made once. @param {string} data */
export function readCredentials(data) {
  const file = path.join(data, 'credentials.json');
  /** @type {{ passwords: Record<string, string>, workerId: string, natsPort?: number }} */
  const known = fs.existsSync(file)
    ? JSON.parse(fs.readFileSync(file, 'utf8'))
    : { passwords: {}, workerId: 'worker-1' };
  return {
    workerId: known.workerId,
    /** @param {string} user */
    passwordOf(user) {
      known.passwords[user] ??= randomBytes(24).toString('base64url');
      fs.writeFileSync(file, JSON.stringify(known, null, 2), { mode: 0o600 });
      return known.passwords[user];
    },
  };
}

/** @param {number} port @param {string} host @returns {Promise<boolean>} */
export function isPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
