import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benches } from './benches/benches.js';
import type { Bench } from './harness/bench.port.js';
import { drawProfiles } from './flame/draw-profiles.js';
import { readConditions } from './harness/conditions.js';
import { figureTable, markdownTable } from './harness/figure-table.js';
import { sectionOf, withSections } from './harness/performance-page.js';
import { type Outcome, runBench } from './harness/run-bench.js';
import { repository } from './system/service-system.js';

const usage = `npm run bench [-- [--quick] [--profile FOLDER] [NAME[,NAME ...]]]
Benches: ${benches.map(({ name, onlyByName }) => (onlyByName ? `${name} (only by name)` : name)).join(', ')}`;

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' } },
  allowPositionals: true,
});
const names = positionals.flatMap((text) => text.split(',')).filter((name) => name !== '');
const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}.\n${usage}`);
  process.exit(2);
}

const conditions = readConditions();
const outcomes: Outcome[] = [];
const wanted = ({ name, onlyByName }: Bench): boolean =>
  names.length === 0 ? onlyByName !== true : names.includes(name);
for (const bench of benches.filter(wanted)) {
  console.log(`== ${bench.name}`);
  const outcome = await runBench(bench, {
    quick: values.quick,
    profileFolder: values.profile,
    log: (text) => console.log(`   ${text}`),
  });
  outcomes.push(outcome);
  console.log(`== ${bench.name}: ${outcome.failure ?? 'done'} (${outcome.seconds.toFixed(0)} s)`);
}

const figures = outcomes.flatMap(({ result }) => result?.figures ?? []);
if (figures.length > 0) console.log(`\n${markdownTable(figureTable(figures))}`);
for (const { result } of outcomes) {
  for (const table of result?.tables ?? []) console.log(`\n${table.title}\n${markdownTable(table)}`);
  for (const note of result?.notes ?? []) console.log(`- ${note}`);
}

if (values.profile !== undefined) {
  console.log('\nFlame graphs (the .cpuprofile beside each opens in the developer tools of a browser):');
  for (const picture of drawProfiles(values.profile)) console.log(`  ${picture}`);
}

// Neither a smoke run nor one under a profiler may pass for a measurement.
if (!values.quick && values.profile === undefined) {
  const folder = join(repository, 'bench/results');
  mkdirSync(folder, { recursive: true });
  for (const outcome of outcomes) {
    const { bench, seconds, result, failure } = outcome;
    writeFileSync(
      join(folder, `${bench.name}.json`),
      `${JSON.stringify({ name: bench.name, title: bench.title, conditions, seconds, result, failure }, null, 2)}\n`,
    );
  }
  const page = join(repository, 'docs/performance.md');
  const sections = new Map(outcomes.map((outcome) => [outcome.bench.name, sectionOf(outcome, conditions)]));
  writeFileSync(page, withSections(readFileSync(page, 'utf8'), sections));
}
process.exitCode = outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0;
