#!/usr/bin/env node
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from './install/build.mjs';
import { installNodePackages } from './install/node-packages.mjs';
import { runCommand } from './install/run-command.mjs';
import { canInstallPackages, findProgram, installPackages, requireProgram } from './install/system-package.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const AGENT = '@gantry/worker';
const PROJECT_FOLDERS = ['libs', 'services', 'agents', 'apps'];

/** Real parts that the suites drive. In CI a missing one is a failure, never a skip. */
const NEEDS = [
  {
    program: 'nats-server',
    packages: ['nats-server'],
    instructions: 'Install it: apt-get install nats-server, or brew install nats-server.',
  },
  {
    program: 'dockerd',
    packages: ['docker.io', 'iptables', 'iproute2'],
    instructions: 'Install Docker Engine (apt-get install docker.io).',
  },
  {
    program: 'busybox',
    packages: ['busybox-static'],
    instructions: 'Install a static busybox (apt-get install busybox-static): test images are made from it.',
  },
  {
    program: 'bwrap',
    packages: ['bubblewrap'],
    instructions: 'Install bubblewrap (apt-get install bubblewrap): the process runtime uses it.',
  },
  {
    program: 'faketime',
    packages: ['faketime'],
    instructions: 'Install faketime (apt-get install faketime): tests set the clocks of single processes with it.',
  },
  {
    program: 'chromium',
    packages: ['chromium'],
    instructions: 'Install Chromium (apt-get install chromium): the browser suite drives it.',
  },
];

/**
 * The build is a stage of its own: done as a dependency it would lay the compiled programs anew while another lane runs them.
 * @param {string} target @param {number} parallel @param {string[]} projects
 */
const nx = (target, parallel, ...projects) =>
  runCommand(
    path.join(root, 'node_modules/.bin/nx'),
    [
      'run-many',
      '-t',
      target,
      ...projects,
      '--excludeTaskDependencies',
      `--parallel=${parallel}`,
      '--outputStyle=stream',
    ],
    {
      cwd: root,
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NEXT_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0' },
    },
  );

/** Its output is shown at its end, because it runs beside another stage. @param {string} program @param {string[]} args */
const aside = async (program, args) => {
  const output = await runCommand(program, args, { cwd: root, quiet: true });
  if (output.trim() !== '') console.log(output.trimEnd());
};

/** @param {string} script @param {string} project */
const npmScript = (script, project) => aside('npm', ['run', script, '--workspace', project, '--silent']);

/** @type {Promise<void> | undefined} */
let built;
const build = () => (built ??= buildAll(root));

/** @param {string} project */
const checkTypes = (project) =>
  aside(process.execPath, [path.join(root, 'node_modules/typescript-native/bin/tsc'), '-p', project]);

/** The dashboard's program has types that its build writes. */
async function checkAllTypes() {
  for (const project of ['tsconfig.check.json', 'e2e/tsconfig.json']) await checkTypes(project);
  await build();
  await checkTypes('apps/web');
}

/**
 * Lanes of one group run side by side, the stages of a lane one after the other: reading code keeps one core busy while the
 * build and the suites mostly wait for the disk and for servers. `--only a,b` runs some of the stages, and always the build.
 * @type {{ name: string, run: () => Promise<unknown>, always?: boolean }[][][]}
 */
const groups = [
  [
    [
      // They read sources only and need no build, but for the types of the dashboard.
      { name: 'static checks', run: () => aside(process.execPath, [path.join(root, 'scripts/lint.mjs')]) },
      { name: 'types', run: checkAllTypes },
      { name: 'unit', run: () => nx('test-unit', 2) },
      // Chaos and rolling restarts wait most of their time for leases and processes.
      { name: 'resilience', run: () => build().then(() => npmScript('test-resilience', '@gantry/e2e')) },
    ],
    [
      { name: 'build', run: build, always: true },
      { name: 'integration', run: () => nx('test-int', 1, '--exclude', AGENT) },
    ],
    // As long as all the others together.
    [{ name: 'agent integration', run: () => build().then(() => nx('test-int', 1, '--projects', AGENT)) }],
  ],
  [[{ name: 'end to end', run: () => nx('test-e2e', 1) }]],
];

/** @returns {Set<string> | undefined} undefined: all */
function chosenNames() {
  const index = process.argv.indexOf('--only');
  if (index < 0) return undefined;
  const known = groups.flat(2).map(({ name }) => name);
  const names = (process.argv[index + 1] ?? '').split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no stage "${unknown.join('", "')}". Choose of: ${known.join(', ')}.`);
  return new Set(names);
}

/** @param {{ name: string, run: () => Promise<unknown> }} stage @returns {Promise<string[]>} its name if it failed */
async function runStage({ name, run }) {
  const startedAt = Date.now();
  console.log(`\n== ${name}`);
  try {
    await run();
    console.log(`== ${name}: ok (${((Date.now() - startedAt) / 1000).toFixed(0)} s)`);
    return [];
  } catch (error) {
    console.error(`== ${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return [name];
  }
}

/** One call of the package manager for all that is missing. */
async function installPrograms() {
  const missing = NEEDS.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length > 0 && canInstallPackages()) await installPackages(missing.flatMap(({ packages }) => packages));
  for (const need of NEEDS) await requireProgram(need);
}

async function main() {
  const chosen = chosenNames();
  await Promise.all([installNodePackages(root), installPrograms()]);
  /** @type {string[]} */
  const failures = [];
  const lane = async (/** @type {typeof groups[0][0]} */ stages) => {
    for (const stage of stages.filter(({ name, always }) => always === true || (chosen?.has(name) ?? true))) {
      if (failures.includes('build')) return;
      failures.push(...(await runStage(stage)));
    }
  };
  for (const lanes of groups) await Promise.all(lanes.map(lane));
  return failures;
}

function projectFolders() {
  const nested = PROJECT_FOLDERS.flatMap((kind) =>
    fs.readdirSync(path.join(root, kind)).map((name) => path.join(root, kind, name)),
  );
  return [...nested, path.join(root, 'e2e'), path.join(root, 'bench')];
}

/** The runners' own reports, one per project and target; an earlier run's must not count. */
function reportFiles() {
  return projectFolders()
    .map((folder) => path.join(folder, 'test-results'))
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))
    .filter((file) => /test-(unit|int|e2e|resilience)\.json$/.test(file));
}

function countTests() {
  let passed = 0;
  let failed = 0;
  for (const file of reportFiles()) {
    const report = JSON.parse(fs.readFileSync(file, 'utf8'));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
  }
  return { passed, failed };
}

for (const file of reportFiles()) fs.rmSync(file);
let failures;
try {
  failures = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  failures = ['preparation'];
}
const { passed, failed } = countTests();
if (failures.length > 0) console.error(`\nFailed: ${failures.join(', ')}`);
// A stage that fails without a failing test (types, lint) counts as one.
console.log(`${passed} passed, ${Math.max(failed, failures.length)} failed`);
process.exitCode = failures.length === 0 && failed === 0 ? 0 : 1;
