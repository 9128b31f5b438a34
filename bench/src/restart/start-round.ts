import { cpuSecondsOf, residentMebibytesOf } from '../system/cpu-clock.js';
import type { ServiceName, ServiceSystem } from '../system/service-system.js';
import { BenchWorker } from './bench-worker.js';
import { type Load, startOf, stopOf } from './filled-system.js';
import { StoredHistory } from './stored-history.js';

export interface ServiceStart {
  /** Seconds from the spawn until it serves, alone. */
  readonly alone: number;
  /** Until then, all threads. */
  readonly cpuSeconds: number;
  readonly mebibytes: number;
  readonly stop: number;
  /** Seconds until it serves, all being started at the same moment as after a power failure. */
  readonly together: number;
}

export interface StartRound {
  readonly services: ReadonlyMap<ServiceName, ServiceStart>;
  /** Seconds from the spawn of the scheduler until a task was given to a worker, in ASSIGN. */
  readonly firstPlacement: number;
}

/** Starts each service by itself, and then all of them. `withTask`: a task waits that can be placed. */
export async function startRound(system: ServiceSystem, load: Load, withTask: boolean): Promise<StartRound> {
  const alone = new Map<ServiceName, Omit<ServiceStart, 'together'>>();
  let firstPlacement = Number.NaN;
  for (const name of load.services) {
    // The scheduler's first decision is measured with it; nobody else is up, as when it is the one that was killed.
    const worker = name === 'scheduler' ? new BenchWorker(system.nc, `bench-${Date.now()}`) : undefined;
    if (worker !== undefined && !withTask) await (await StoredHistory.on(system.nc)).queued(1);
    const startedAt = performance.now();
    // It may decide before it says that it serves.
    const placed = worker?.firstAssignment.then(() => (performance.now() - startedAt) / 1_000);
    const seconds = await startOf(system, name);
    const pid = system.pidOf(name);
    const used = { cpuSeconds: cpuSecondsOf(pid), mebibytes: residentMebibytesOf(pid) };
    if (worker !== undefined && placed !== undefined) {
      firstPlacement = await placed;
      await worker.stop();
    }
    alone.set(name, { alone: seconds, ...used, stop: await stopOf(system, name) });
  }
  const together = await Promise.all(load.services.map(async (name) => [name, await startOf(system, name)] as const));
  await Promise.all(load.services.map((name) => stopOf(system, name)));
  const services = new Map(
    together.flatMap(([name, seconds]) => {
      const own = alone.get(name);
      return own === undefined ? [] : [[name, { ...own, together: seconds }] as const];
    }),
  );
  return { services, firstPlacement };
}
