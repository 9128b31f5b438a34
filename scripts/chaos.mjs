#!/usr/bin/env node
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './install/build.mjs';
import { installNodePackages } from './install/node-packages.mjs';
import { requireProgram } from './install/system-package.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const NEEDS = [
  { program: 'dockerd', packages: ['docker.io', 'iptables'], instructions: 'Install Docker Engine.' },
  { program: 'ip', packages: ['iproute2'], instructions: 'Install iproute2: every agent gets a network namespace.' },
  { program: 'busybox', packages: ['busybox-static'], instructions: 'Install a static busybox for the test image.' },
  {
    program: 'faketime',
    packages: ['faketime'],
    instructions: 'Install faketime: it sets clocks of single processes.',
  },
  { program: 'bwrap', packages: ['bubblewrap'], instructions: 'Install bubblewrap for the process runtime.' },
];

await installNodePackages(root);
for (const need of NEEDS) await requireProgram(need);
await buildAll(root);
// Installed only now, on a clean clone.
const { runnerImport } = await import('vite');
// The run is the module's own top-level code. Left-over sockets of a world that was shot at must not keep this open.
await runnerImport(path.join(root, 'e2e/src/chaos/chaos.main.ts'), {
  root: path.join(root, 'e2e'),
  configFile: false,
  logLevel: 'error',
});
process.exit();
