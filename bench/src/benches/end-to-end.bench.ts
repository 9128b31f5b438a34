import type { Bench, BenchContext, FreeTable } from '../harness/bench.port.js';
import { spreadOf } from '../harness/spread.js';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { CpuUse } from '../system/cpu-clock.js';
import { everythingArchived } from '../system/archived.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';

const CONCURRENCY = 128;
const WARM_UP_TASKS = 3_000;
const WARM_UP_SECONDS = 15;
/** A round is what the warm-up's pace does in this time, so that a slow or busy machine measures less work and not longer. */
const ROUND_SECONDS = 5;
const MOST_TASKS = 5_000;
/** No new round begins after this. */
const ROUNDS_SECONDS = 60;

export interface EndToEndRound {
  readonly seconds: number;
  readonly submitSeconds: number;
  /** Until the tasks can be read from ClickHouse too. */
  readonly archivedSeconds: number;
  readonly cpu: ReadonlyMap<string, CpuUse>;
}

/** Submits `count` tasks and waits until the tasks service has stored the end of each; the CPU is that of archiving them too. */
export async function endToEndRound(
  system: ServiceSystem,
  submitter: Submitter,
  fleet: SimulatedFleet,
  count: number,
): Promise<EndToEndRound> {
  const before = (await submitter.counts()).succeeded;
  const cpu = system.cpuClock(
    new Map([
      ['simulated agents', fleet.pid],
      ['driver', process.pid],
    ]),
  );
  const startedAt = performance.now();
  const submitSeconds = await submitter.submitMany(count, CONCURRENCY);
  // The board forgets the oldest ended tasks, so the newest counts of ended ones are not a sum; that none is active is.
  await until(async () => {
    if (fleet.failure !== undefined) throw new Error(fleet.failure);
    const { succeeded, queued, assigned, starting, running } = await submitter.counts();
    return queued + assigned + starting + running === 0 && (succeeded >= before + count || succeeded >= 10_000);
  }, 120_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  await everythingArchived(system.nc);
  return { seconds, submitSeconds, archivedSeconds: (performance.now() - startedAt) / 1_000, cpu: cpu.read() };
}

/** Answers how many tasks a round should have. */
export async function warmUp(system: ServiceSystem, submitter: Submitter, fleet: SimulatedFleet): Promise<number> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  let done = 0;
  let pace = 0;
  while (done < WARM_UP_TASKS && seconds() < WARM_UP_SECONDS) {
    const portion = WARM_UP_TASKS / 6;
    pace = portion / (await endToEndRound(system, submitter, fleet, portion)).seconds;
    done += portion;
  }
  return Math.min(MOST_TASKS, Math.max(100, Math.ceil((pace * ROUND_SECONDS) / 100) * 100));
}

/** CPU microseconds per task of each process, most expensive first. */
export function cpuTable(rounds: readonly EndToEndRound[], count: number): FreeTable {
  const tasks = count * rounds.length;
  const names = [...(rounds[0]?.cpu.keys() ?? [])];
  const sumOf = (pick: (use: CpuUse) => number, name: string): number =>
    rounds.reduce((sum, { cpu }) => sum + pick(cpu.get(name) ?? { all: 0, mainThread: 0 }), 0);
  const rows = names
    .map((name) => ({
      name,
      all: Math.round((sumOf(({ all }) => all, name) * 1e6) / tasks),
      main: Math.round((sumOf(({ mainThread }) => mainThread, name) * 1e6) / tasks),
    }))
    .sort((a, b) => b.all - a.all);
  const sum = rows.reduce((total, { all }) => total + all, 0);
  return {
    title: 'CPU of one task, microseconds',
    columns: ['process', 'all threads', 'of which first thread'],
    rows: [...rows.map(({ name, all, main }) => [name, all, main]), ['all', sum, '']],
  };
}

async function run({ quick, profileFolder, log }: BenchContext): ReturnType<Bench['run']> {
  // A profile of two rounds says as much as one of five, and the profiler slows everything down.
  const rounds = quick ? 1 : profileFolder === undefined ? 5 : 2;
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry'], profileFolder);
  const fleet = await SimulatedFleet.start(system);
  try {
    const submitter = new Submitter(system.nc);
    const count = quick ? 60 : await warmUp(system, submitter, fleet);
    if (quick) await endToEndRound(system, submitter, fleet, 20);
    const measured: EndToEndRound[] = [];
    const startedAt = performance.now();
    while (measured.length < rounds && performance.now() - startedAt < ROUNDS_SECONDS * 1_000) {
      const result = await endToEndRound(system, submitter, fleet, count);
      measured.push(result);
      log(`${Math.round(count / result.seconds)} tasks/s`);
    }
    return {
      figures: [
        {
          what: 'submit to finished, simulated runtime, broker requests',
          unit: 'tasks/s',
          ours: spreadOf(measured.map(({ seconds }) => count / seconds)),
          goal: '>= 1,000',
        },
        {
          what: 'the same until ClickHouse has every commit, view and log line',
          unit: 'tasks/s',
          ours: spreadOf(measured.map(({ archivedSeconds }) => count / archivedSeconds)),
        },
      ],
      tables: [cpuTable(measured, count)],
      notes: [`${measured.length} rounds of ${count.toLocaleString('en-US')} tasks.`],
    };
  } finally {
    await fleet.stop();
    await system.stop();
  }
}

export const endToEndBench: Bench = {
  name: 'end-to-end',
  title: 'Tasks a second, submit to finished, every event stored (simulated workers)',
  limitSeconds: 180,
  run,
};
