#!/usr/bin/env node
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installNodePackages } from './install/node-packages.mjs';
import { runCommand } from './install/run-command.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (/** @type {string} */ name) => path.join(root, 'node_modules/.bin', name);

/** Every static check, in the order of what it costs. */
const checks = [
  // Writes the graph without which eslint silently skips the rule about module boundaries.
  { name: 'project graph', command: [bin('nx'), 'show', 'projects'] },
  { name: 'formatting', command: [bin('prettier'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'layers and cycles',
    command: [
      bin('depcruise'),
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      'libs',
      'services',
      'agents',
      'apps',
    ],
  },
  { name: 'dead code', command: [bin('knip'), '--no-progress'] },
  {
    name: 'eslint',
    command: [bin('eslint'), '--max-warnings', '0', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '.'],
  },
];

await installNodePackages(root);
let failed = 0;
for (const { name, command } of checks) {
  const [program = '', ...args] = command;
  const startedAt = Date.now();
  try {
    await runCommand(program, args, { cwd: root, quiet: true, env: { ...process.env, NX_DAEMON: 'false' } });
    console.log(`ok    ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL  ${name}\n${error instanceof Error ? error.message : String(error)}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
