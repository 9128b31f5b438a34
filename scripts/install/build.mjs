import fs from 'node:fs';
import path from 'node:path';
import { runCommand } from './run-command.mjs';

const SKIPPED = new Set(['node_modules', 'dist', '.next', '.nx', '.git', '.gantry', 'coverage', 'test-results']);
/** Written by builds and checks themselves: a build that they set off would rewrite programs under those who run them. */
const isGenerated = (/** @type {string} */ name) => name === 'next-env.d.ts' || name.endsWith('.tsbuildinfo');
const SOURCE_ROOTS = ['libs', 'services', 'agents', 'apps'];

/** @param {string} folder @returns {number} newest modification time below it, ms */
function newestChange(folder) {
  let newest = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name) || isGenerated(entry.name)) continue;
    const full = path.join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(full) : fs.statSync(full).mtimeMs);
  }
  return newest;
}

/**
 * Builds everything through Nx, whose cache makes an unchanged project free. When no source file is newer than the last
 * build even that is skipped, which keeps a warm start fast.
 * @param {string} root
 */
export async function buildAll(root) {
  const stamp = path.join(root, 'node_modules', '.gantry-build-time');
  const inputs = [
    ...SOURCE_ROOTS.map((name) => path.join(root, name)),
    path.join(root, 'package-lock.json'),
    path.join(root, 'tsconfig.base.json'),
    path.join(root, 'scripts/bundle.mjs'),
  ];
  const newest = Math.max(
    ...inputs.map((input) => (fs.statSync(input).isDirectory() ? newestChange(input) : fs.statSync(input).mtimeMs)),
  );
  const built = fs.existsSync(stamp) ? Number(fs.readFileSync(stamp, 'utf8')) : 0;
  const complete =
    fs.existsSync(path.join(root, 'apps/web/.next/standalone')) &&
    fs.existsSync(path.join(root, 'services/gateway/dist/bundle/main.js'));
  if (complete && newest <= built) return;
  console.log('Building (the first time takes a minute or two) ...');
  const startedAt = Date.now();
  await runCommand(
    path.join(root, 'node_modules/.bin/nx'),
    ['run-many', '-t', 'build', '--parallel=2', '--outputStyle=static'],
    {
      cwd: root,
      quiet: true,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        NX_DAEMON: 'false',
        NX_TUI: 'false',
        NEXT_TELEMETRY_DISABLED: '1',
      },
    },
  );
  fs.writeFileSync(stamp, String(startedAt));
}
