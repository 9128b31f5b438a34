import type { Bench, BenchContext, FreeTable } from '../harness/bench.port.js';
import { spreadOf } from '../harness/spread.js';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { CpuUse } from '../system/cpu-clock.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';

const CONCURRENCY = 128;

export interface EndToEndRound {
  readonly seconds: number;
  readonly submitSeconds: number;
  readonly cpu: ReadonlyMap<string, CpuUse>;
}

/** Submits `count` tasks and waits until the tasks service has stored the end of each. */
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
  return { seconds: (performance.now() - startedAt) / 1_000, submitSeconds, cpu: cpu.read() };
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
  const count = quick ? 60 : 5_000;
  // A profile of two rounds says as much as one of five, and the profiler slows everything down.
  const rounds = quick ? 1 : profileFolder === undefined ? 5 : 2;
  const system = await ServiceSystem.start(['tasks', 'scheduler', 'telemetry'], profileFolder);
  const fleet = await SimulatedFleet.start(system);
  try {
    const submitter = new Submitter(system.nc);
    await endToEndRound(system, submitter, fleet, quick ? 20 : 3_000);
    const measured: EndToEndRound[] = [];
    for (let round = 0; round < rounds; round += 1) {
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
      ],
      tables: [cpuTable(measured, count)],
    };
  } finally {
    await fleet.stop();
    await system.stop();
  }
}

export const endToEndBench: Bench = {
  name: 'end-to-end',
  title: 'Tasks a second, submit to finished, every event stored (simulated workers)',
  limitSeconds: 150,
  run,
};
