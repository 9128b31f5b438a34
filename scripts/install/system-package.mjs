import fs from 'node:fs';
import path from 'node:path';
import { runCommand } from './run-command.mjs';

/** @param {string} name @returns {string | undefined} the full path of a program */
export function findProgram(name) {
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    '/usr/sbin',
    '/sbin',
    '/usr/local/sbin',
    '/bin',
    '/usr/bin',
  ];
  for (const folder of folders) {
    const candidate = path.join(folder, name);
    try {
      fs.accessSync(candidate, fs.constants.X_OK);
      if (fs.statSync(candidate).isFile()) return candidate;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** True where packages can be installed without asking: a Debian family system, as root. */
export function canInstallPackages() {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
}

let listsUpdated = false;

/**
 * Installs Debian packages. Several starts at once wait for each other through dpkg's own lock.
 * @param {string[]} packages
 */
export async function installPackages(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  console.log(`Installing ${packages.join(', ')} ...`);
  const apt = (/** @type {string[]} */ args) =>
    runCommand('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], { env, quiet: true });
  if (!listsUpdated) {
    await apt(['update']);
    listsUpdated = true;
  }
  await apt(['install', '-y', '--no-install-recommends', ...packages]);
}

/**
 * Finds a program or installs its Debian package; explains what to do where that is not possible.
 * @param {{ program: string, packages: string[], instructions: string }} need
 * @returns {Promise<string>}
 */
export async function requireProgram({ program, packages, instructions }) {
  const found = findProgram(program);
  if (found !== undefined) return found;
  if (canInstallPackages()) {
    await installPackages(packages);
    const installed = findProgram(program);
    if (installed !== undefined) return installed;
  }
  throw new Error(`${program} is not installed. ${instructions}`);
}
