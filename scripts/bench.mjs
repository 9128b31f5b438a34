#!/usr/bin/env node
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './install/build.mjs';
import { installNodePackages } from './install/node-packages.mjs';
import { runCommand } from './install/run-command.mjs';
import { requireProgram } from './install/system-package.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

await installNodePackages(root);
await requireProgram({
  program: 'nats-server',
  packages: ['nats-server'],
  instructions: 'Install it: apt-get install nats-server, or brew install nats-server.',
});
await buildAll(root);
await runCommand(path.join(root, 'node_modules/.bin/tsc'), ['-b', 'bench/tsconfig.build.json'], { cwd: root });
const suite = spawn(process.execPath, [path.join(root, 'bench/dist/main.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// A Ctrl-C reaches the suite by itself; it ends what it started, and this waits for it.
process.on('SIGINT', () => undefined);
suite.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
