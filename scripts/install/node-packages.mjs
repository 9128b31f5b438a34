import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { runCommand } from './run-command.mjs';

/** Installs the npm packages of the lock file unless they are there already. @param {string} root */
export async function installNodePackages(root) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(
      `Gantry needs Node.js 20.19 or newer; this is ${process.version}. Install it from your package manager.`,
    );
  }
  const stamp = path.join(root, 'node_modules', '.gantry-lock-hash');
  const hash = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const installed = fs.existsSync(stamp) ? fs.readFileSync(stamp, 'utf8') : '';
  if (installed === hash) return;
  console.log('Installing npm packages ...');
  // Not `npm ci`: it refuses a lock file that lacks optional packages of other platforms, which a registry mirror may not have.
  // With --no-save the lock file is obeyed and left as it is.
  await runCommand('npm', ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    quiet: true,
  });
  fs.writeFileSync(stamp, hash);
}
