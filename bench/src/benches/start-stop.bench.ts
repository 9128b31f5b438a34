import fs from 'node:fs';
import path from 'node:path';
import { GantrySystem } from '@gantry/testing/gantry-system.fixture';
import type { Bench, BenchContext, Figure } from '../harness/bench.port.js';
import { ratioOf, spreadOf } from '../harness/spread.js';
import { BareParts } from '../peers/bare-parts.js';
import { residentMebibytesOf } from '../system/cpu-clock.js';

/** Five services, the agent, the web server and the supervisor. */
const NODE_PROGRAMS = 8;

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

interface Times {
  readonly first: number[];
  readonly again: number[];
  readonly stop: number[];
  readonly mebibytes: number[];
}

const noTimes = (): Times => ({ first: [], again: [], stop: [], mebibytes: [] });

/** An installation of its own, from its first start to its last end; answers what each part holds at rest. */
async function ourRound(times: Times, restSeconds: number): Promise<Map<string, number>> {
  const system = await GantrySystem.create();
  try {
    times.first.push(await system.start());
    times.stop.push(await system.stop());
    times.again.push(await system.start());
    // At rest: after the work that follows a start.
    await new Promise((resolve) => setTimeout(resolve, restSeconds * 1_000));
    const memory = memoryOfParts(system);
    times.mebibytes.push([...memory.values()].reduce((sum, part) => sum + part, 0));
    times.stop.push(await system.stop());
    return memory;
  } finally {
    await system.stop();
    system.remove();
  }
}

async function bareRound(times: Times, restSeconds: number): Promise<void> {
  for (const starts of [times.first, times.again]) {
    const parts = await BareParts.start(NODE_PROGRAMS);
    starts.push(parts.startSeconds);
    await new Promise((resolve) => setTimeout(resolve, restSeconds * 1_000));
    times.mebibytes.push(parts.mebibytes);
    times.stop.push(await parts.stop());
  }
}

async function run({ quick, log }: BenchContext): ReturnType<Bench['run']> {
  const [mine, bare] = [noTimes(), noTimes()];
  let memory = new Map<string, number>();
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    memory = await ourRound(mine, quick ? 1 : 8);
    await bareRound(bare, quick ? 0 : 1);
    log(`start ${mine.again.at(-1)?.toFixed(1)} s, bare parts ${bare.again.at(-1)?.toFixed(2)} s`);
  }
  const figure = (what: string, unit: string, of: keyof Times): Figure => {
    const [ours, value] = [spreadOf(mine[of]), spreadOf(bare[of])];
    const name = `nats-server and ${NODE_PROGRAMS} empty Node programs`;
    return { what, unit, ours, beside: { name, value }, ratio: ratioOf(ours, value) };
  };
  return {
    figures: [
      figure('npm start, first time (built already)', 's', 'first'),
      figure('npm start, again', 's', 'again'),
      figure('Ctrl-C until everything has ended', 's', 'stop'),
      figure('memory of all parts at rest', 'MiB', 'mebibytes'),
    ],
    tables: [
      {
        title: 'Memory at rest',
        columns: ['part', 'MiB'],
        rows: [...memory].sort((a, b) => b[1] - a[1]).map(([name, mebibytes]) => [name, Math.round(mebibytes)]),
      },
    ],
    notes: [
      'A first start has a data folder of its own each time. What stands beside it is started all at once, has nothing to load and nothing to do; Gantry also starts a container engine if the machine has none that answers.',
    ],
  };
}

export const startStopBench: Bench = {
  name: 'start-stop',
  title: 'The whole system on one machine: start, stop, memory',
  limitSeconds: 300,
  run,
};
