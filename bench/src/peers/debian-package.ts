import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

function isInstalled(program: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs a peer's Debian packages if its programs are missing; throws where that is not possible. Only a benchmark does this:
 * neither `npm start` nor `npm test` needs any of it.
 */
export async function requirePeer(programs: readonly string[], packages: readonly string[]): Promise<void> {
  if (programs.every(isInstalled)) return;
  if (process.getuid?.() !== 0 || !isInstalled('apt-get'))
    throw new Error(`not installed (apt-get install ${packages.join(' ')})`);
  // The packages would start their own servers with their own data; RUNLEVEL=1 tells their scripts not to.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (args: readonly string[]) =>
    execute('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], { env, timeout: 240_000 });
  await apt(['update']);
  await apt(['install', '-y', '--no-install-recommends', ...packages]);
}
