#!/usr/bin/env node
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './install/build.mjs';
import { installNodePackages } from './install/node-packages.mjs';
import { runCommand } from './install/run-command.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

await installNodePackages(root);
await buildAll(root);
await runCommand(path.join(root, 'node_modules/.bin/tsc'), ['-b', 'bench/tsconfig.build.json'], { cwd: root });
await runCommand(process.execPath, [path.join(root, 'bench/dist/one-machine.bench.js')], { cwd: root });
