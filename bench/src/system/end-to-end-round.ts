import type { FreeTable } from '../harness/bench.port.js';
import { everythingArchived } from './archived.js';
import { type CpuMeter, type CpuUse, meterOf } from './cpu-clock.js';
import type { ServiceSystem } from './service-system.js';
import type { Submitter } from './submitter.js';
import { until } from './until.js';

const CONCURRENCY = 128;
const WARM_UP_SECONDS = 15;
/** A round is what the warm-up's pace does in this time, so that a slow or busy machine measures less work and not longer. */
const ROUND_SECONDS = 5;

/** Whoever takes the tasks: simulated workers or a real agent. */
export interface Workforce {
  /** What its processes use, by the names of the table. */
  readonly meters: ReadonlyMap<string, CpuMeter>;
  /** Why it cannot go on. */
  readonly failure: string | undefined;
}

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
  workforce: Workforce,
  count: number,
): Promise<EndToEndRound> {
  const before = (await submitter.counts()).succeeded;
  const cpu = system.cpuClock(new Map([...workforce.meters, ['driver', meterOf(process.pid)]]));
  const startedAt = performance.now();
  const submitSeconds = await submitter.submitMany(count, CONCURRENCY);
  // The board forgets the oldest ended tasks, so the newest counts of ended ones are not a sum; that none is active is.
  await until(async () => {
    if (workforce.failure !== undefined) throw new Error(workforce.failure);
    const { succeeded, failed, queued, assigned, starting, running } = await submitter.counts();
    if (failed > 0) throw new Error(`${failed} tasks failed.`);
    return queued + assigned + starting + running === 0 && (succeeded >= before + count || succeeded >= 10_000);
  }, 120_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  await everythingArchived(system.nc);
  return { seconds, submitSeconds, archivedSeconds: (performance.now() - startedAt) / 1_000, cpu: cpu.read() };
}

/** Answers how many tasks a round should have: at most so many. */
export async function warmUp(
  system: ServiceSystem,
  submitter: Submitter,
  workforce: Workforce,
  { tasks, most }: { tasks: number; most: number },
): Promise<number> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  let done = 0;
  let pace = 0;
  while (done < tasks && seconds() < WARM_UP_SECONDS) {
    const portion = Math.ceil(tasks / 6);
    pace = portion / (await endToEndRound(system, submitter, workforce, portion)).seconds;
    done += portion;
  }
  return Math.min(most, Math.max(100, Math.ceil((pace * ROUND_SECONDS) / 100) * 100));
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
