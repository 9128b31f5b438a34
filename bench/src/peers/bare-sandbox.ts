import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { requirePeer } from './debian-package.js';

const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib64'];
const USER = 65_532;

export const requireSandbox = (): Promise<void> => requirePeer(['bwrap', 'setpriv'], ['bubblewrap', 'util-linux']);

/**
 * The floor: the same sandbox as that of the agent's process runtime (namespaces, read-only system, dropped user), started and waited
 * for by a loop and nothing else. Without control groups, log, files or anything that remembers it.
 */
export class BareSandbox {
  private constructor(private readonly folder: string) {}

  static async prepare(): Promise<BareSandbox> {
    await requireSandbox();
    const folder = temporaryFolder('gantry-sandbox');
    mkdirSync(join(folder, 'output'));
    return new BareSandbox(folder);
  }

  /** Seconds for `count` sandboxes of `true`, `concurrency` at a time. */
  async runMany(count: number, concurrency: number): Promise<number> {
    const command = sandboxOf(join(this.folder, 'output'));
    const startedAt = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await run(command);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return (performance.now() - startedAt) / 1_000;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function run([file = '', ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The bare sandbox ended with code ${code}: ${said}`));
    });
  });
}

function sandboxOf(outputFolder: string): string[] {
  const root = process.getuid?.() === 0;
  const drop = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--no-new-privs'];
  return [
    'bwrap',
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...(root ? [] : ['--unshare-user-try']),
    ...['--die-with-parent', '--new-session', '--hostname', 'bench', '--ro-bind', '/usr', '/usr'],
    ...SYSTEM_FOLDERS.flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    ),
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--size', String(16 * 1024 * 1024), '--tmpfs', '/tmp'],
    ...['--bind', outputFolder, '/output', '--chdir', '/output'],
    ...['--clearenv', '--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin', '--'],
    ...(root ? [...drop, '--inh-caps=-all', '--bounding-set=-all', '--'] : []),
    'true',
  ];
}
