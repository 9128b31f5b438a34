import fs from 'node:fs';
import path from 'node:path';
import { GantrySystem } from '@gantry/testing/gantry-system.fixture';
import type { Bench, BenchContext } from '../harness/bench.port.js';
import { spreadOf } from '../harness/spread.js';
import { residentMebibytesOf } from '../system/cpu-clock.js';

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Resident memory of every process whose environment or arguments name the data folder. */
function memoryOfParts(system: GantrySystem): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const line = read(`/proc/${pid}/cmdline`).split('\0');
    if (!read(`/proc/${pid}/environ`).includes(system.data) && !line.join(' ').includes(system.data)) continue;
    const main = line.find((part) => /(main|server)\.js$|start\.mjs$/.test(part));
    const name = main === undefined ? path.basename(line[0] ?? pid) : path.relative(process.cwd(), main);
    found.set(name, (found.get(name) ?? 0) + residentMebibytesOf(Number(pid)));
  }
  return found;
}

async function run({ quick, log }: BenchContext): ReturnType<Bench['run']> {
  const system = await GantrySystem.create();
  const [first, again, stops]: [number[], number[], number[]] = [[], [], []];
  let memory = new Map<string, number>();
  try {
    first.push(await system.start());
    stops.push(await system.stop());
    for (let round = 0; round < (quick ? 1 : 3); round += 1) {
      again.push(await system.start());
      log(`start ${again.at(-1)?.toFixed(1)} s`);
      if (round === 0) {
        // At rest: after the work that follows a start.
        await new Promise((resolve) => setTimeout(resolve, quick ? 1_000 : 8_000));
        memory = memoryOfParts(system);
      }
      stops.push(await system.stop());
    }
  } finally {
    await system.stop();
    system.remove();
  }
  return {
    figures: [
      { what: 'npm start, first time (built already)', unit: 's', ours: spreadOf(first) },
      { what: 'npm start, again', unit: 's', ours: spreadOf(again) },
      { what: 'Ctrl-C until everything has ended', unit: 's', ours: spreadOf(stops) },
    ],
    tables: [
      {
        title: 'Memory at rest',
        columns: ['part', 'MiB'],
        rows: [...memory].sort((a, b) => b[1] - a[1]).map(([name, mebibytes]) => [name, Math.round(mebibytes)]),
      },
    ],
  };
}

export const startStopBench: Bench = {
  name: 'start-stop',
  title: 'The whole system on one machine: start, stop, memory',
  limitSeconds: 120,
  run,
};
