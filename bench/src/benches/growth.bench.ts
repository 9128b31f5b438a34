import { subjects, streams } from '@gantry/contracts/messaging/streams';
import { TASK_SCHEMA_VERSION } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { publishJson } from '@gantry/jetstream/publisher';
import { uuidV7Ids } from '@gantry/kernel/ids';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { Bench, BenchContext, FreeTable } from '../harness/bench.port.js';
import { withRange } from '../harness/figure-table.js';
import { percentile, type Spread, spreadOf } from '../harness/spread.js';
import { atRate } from '../system/at-rate.js';
import { cpuSecondsOf, residentMebibytesOf } from '../system/cpu-clock.js';
import { ServiceSystem } from '../system/service-system.js';
import { simulatedTask, Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';

const SERVICES = ['tasks', 'scheduler'] as const;
const WRITERS = 512;
const CORES_OF_NO_WORKER = 50_000;

/** Waits in the queue of the simulated workers for ever: it wants more cores than any of them has. */
const waitingSpec = taskSpecSchema.parse({
  ...simulatedTask,
  name: 'waits',
  resources: { ...simulatedTask.resources, cpu: CORES_OF_NO_WORKER },
});

/** Writes submissions straight into TASKS, as another replica of the tasks service would; both services take them in. */
async function addWaiting(system: ServiceSystem, submitter: Submitter, count: number): Promise<void> {
  const before = (await submitter.counts()).queued;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const id = uuidV7Ids.next();
      const submittedAt = Date.now();
      await publishJson(
        system.nc,
        subjects.task(id),
        {
          id: `submit:${id}`,
          stream: streams.tasks.name,
          aggregateId: id,
          version: 1,
          schemaVersion: TASK_SCHEMA_VERSION,
          occurredAt: submittedAt,
          actor: { kind: 'user', id: 'bench', name: 'Bench', role: 'admin' },
          correlationId: 'bench',
          causationId: 'bench',
          events: [
            { type: 'TaskSubmitted', data: { ownerId: 'bench', ownerName: 'Bench', spec: waitingSpec, submittedAt } },
          ],
        },
        { msgId: `submit:${id}` },
      );
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, lane));
  await until(async () => (await submitter.counts()).queued >= before + count, 120_000, 100);
}

/** Each median and range of a few rounds. */
interface Sample {
  readonly tasksPerSecond: Spread;
  readonly p95: Spread;
  readonly cpuMicroseconds: Spread;
}

/** Tasks a second on top of what waits, then the latency at a gentle rate. */
async function sample(
  system: ServiceSystem,
  submitter: Submitter,
  fleet: SimulatedFleet,
  quick: boolean,
): Promise<Sample> {
  const [rounds, count, rate, seconds] = quick ? [1, 20, 20, 1] : [3, 1_500, 100, 4];
  const idle = await submitter.active();
  const quiet = () => until(async () => (await submitter.active()) <= idle, 120_000);
  const cpu = (): number => SERVICES.reduce((sum, name) => sum + cpuSecondsOf(system.pidOf(name)), 0);
  await submitter.submitMany(count, 128);
  await quiet();
  const [paces, costs, latencies]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const [startedAt, cpuBefore] = [performance.now(), cpu()];
    await submitter.submitMany(count, 128);
    await quiet();
    paces.push(count / ((performance.now() - startedAt) / 1_000));
    costs.push(((cpu() - cpuBefore) * 1e6) / count);
  }
  for (let round = 0; round < rounds; round += 1) {
    await fleet.tally();
    await atRate(rate, seconds, () => submitter.submitTimed());
    await quiet();
    latencies.push(percentile((await fleet.tally()).latencies, 0.95));
  }
  return { tasksPerSecond: spreadOf(paces), cpuMicroseconds: spreadOf(costs), p95: spreadOf(latencies) };
}

const columns = ['tasks/s', 'CPU of tasks and scheduler, µs a task', 'submit to agent p95 at 100/s, ms'];
const cells = ({ tasksPerSecond, cpuMicroseconds, p95 }: Sample): string[] =>
  [tasksPerSecond, cpuMicroseconds, p95].map(withRange);

async function overQueued({ quick, log }: BenchContext): Promise<FreeTable> {
  const sizes = quick ? [10, 100] : [1_000, 10_000, 100_000, 1_000_000];
  const system = await ServiceSystem.start([...SERVICES]);
  const fleet = await SimulatedFleet.start(system);
  const rows: (string | number)[][] = [];
  try {
    const submitter = new Submitter(system.nc);
    await sample(system, submitter, fleet, quick);
    const empty = SERVICES.map((name) => residentMebibytesOf(system.pidOf(name)));
    let queued = 0;
    for (const size of sizes) {
      await addWaiting(system, submitter, size - queued);
      queued = size;
      const result = await sample(system, submitter, fleet, quick);
      const memory = SERVICES.map((name, index) => {
        const grown = residentMebibytesOf(system.pidOf(name)) - (empty[index] ?? 0);
        return Math.max(0, Math.round(((grown * 1_024) / size) * 10) / 10);
      });
      rows.push([size, ...cells(result), ...memory]);
      log(`${size} queued: ${result.tasksPerSecond.median.toFixed(0)} tasks/s`);
    }
  } catch (error) {
    // What was measured up to the bend is worth more than nothing.
    rows.push([`stopped: ${(error as Error).message.split('\n')[0]}`]);
  } finally {
    await fleet.stop();
    await system.stop();
  }
  return {
    title: 'Growth over queued tasks (10 workers)',
    columns: ['queued', ...columns, 'tasks: KiB a queued task', 'scheduler: KiB a queued task'],
    rows,
  };
}

async function overWorkers({ quick, log }: BenchContext): Promise<FreeTable> {
  const rows: (string | number)[][] = [];
  for (const workers of quick ? [1, 5] : [1, 10, 100, 1_000, 10_000]) {
    const system = await ServiceSystem.start([...SERVICES]);
    let fleet: SimulatedFleet | undefined;
    try {
      fleet = await SimulatedFleet.start(system, { workers });
      const submitter = new Submitter(system.nc);
      await submitter.submitMany(quick ? 5 : 500, 128);
      await until(async () => (await submitter.active()) === 0, 60_000);
      const seconds = quick ? 1 : 5;
      // What the start and the first tasks left to do is not rest.
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      const [before, cpuBefore] = [await fleet.tally(), cpuSecondsOf(system.pidOf('scheduler'))];
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
      const [after, cpuAfter] = [await fleet.tally(), cpuSecondsOf(system.pidOf('scheduler'))];
      const failures = after.heartbeatFailures - before.heartbeatFailures;
      const result = await sample(system, submitter, fleet, quick);
      rows.push([
        workers,
        ...cells(result),
        Math.round((after.heartbeats - before.heartbeats) / seconds),
        failures,
        Math.round(((cpuAfter - cpuBefore) / seconds) * 1_000) / 10,
      ]);
      log(`${workers} workers: ${result.tasksPerSecond.median.toFixed(0)} tasks/s`);
    } catch (error) {
      rows.push([`${workers}: ${(error as Error).message.split('\n')[0]}`]);
    } finally {
      await fleet?.stop();
      await system.stop();
    }
  }
  return {
    title: 'Growth over workers (each with a heartbeat every 5 s, simulated)',
    columns: ['workers', ...columns, 'heartbeats/s at rest', 'not acknowledged', 'scheduler at rest, % of a core'],
    rows,
  };
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  const tables = [await overWorkers(context), await overQueued(context)];
  return {
    figures: [],
    tables,
    notes: [
      'Medians and ranges of three rounds: of 1,500 tasks as fast as they are taken, and of 4 s at 100 a second.',
      `The waiting tasks stand in the same queue as those that run, and want ${CORES_OF_NO_WORKER.toLocaleString('en-US')} cores. They are written straight into TASKS.`,
      'Without telemetry, so that two cores measure the services whose work could grow. The workers share one process and four broker connections.',
    ],
  };
}

export const growthBench: Bench = {
  name: 'growth',
  title: 'Growth: queued tasks and workers',
  limitSeconds: 560,
  run,
};
