import { streams } from '@gantry/contracts/messaging/streams';
import { manager } from '@gantry/jetstream/stream-admin';
import { SimulatedFleet } from '../fleet/simulated-fleet.js';
import type { Bench, BenchContext, Figure, FreeTable } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { BareFlow, flowNote } from '../peers/bare-flow.js';
import { BareHeartbeats } from '../peers/bare-heartbeats.js';
import { cpuSecondsOf, residentMebibytesOf } from '../system/cpu-clock.js';
import { tappedRound } from '../system/message-tap.js';
import { ServiceSystem } from '../system/service-system.js';
import { Submitter } from '../system/submitter.js';
import { until } from '../system/until.js';
import { addWaiting, cells, columns, CORES_OF_NO_WORKER, type Sample, sample, SERVICES } from './growth-load.js';

interface Curve {
  readonly table: FreeTable;
  readonly figures: readonly Figure[];
  readonly notes?: readonly string[];
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
const count = (value: number): string => value.toLocaleString('en-US');

function figureOf(what: string, unit: string, ours: Spread, name: string, value: Spread): Figure {
  return { what, unit, ours, beside: { name, value }, ratio: ratioOf(ours, value) };
}

/** A curve that is flat has a ratio of 1. */
function largestBesideSmallest(what: string, smallest: string, ours: Sample, beside: Sample): Figure[] {
  return [
    figureOf(`tasks a second, ${what}`, 'tasks/s', ours.tasksPerSecond, smallest, beside.tasksPerSecond),
    figureOf(`submit to agent p95 at 100/s, ${what}`, 'ms', ours.p95, smallest, beside.p95),
  ];
}

/** What the services do with the messages of a task, beside a broker that has nothing but the messages. */
async function besideBareBroker(system: ServiceSystem, submitter: Submitter, mine: Sample, quick: boolean) {
  const tasks = quick ? 20 : 1_000;
  const idle = await submitter.active();
  const { flow } = await tappedRound(system, tasks, async () => {
    await submitter.submitMany(tasks, 128);
    await until(async () => (await submitter.active()) <= idle, 120_000);
  });
  const bare = await BareFlow.start(flow);
  try {
    const rates: number[] = [];
    await bare.rate(tasks);
    for (let round = 0; round < (quick ? 1 : 3); round += 1) rates.push(await bare.rate(tasks));
    const name = 'the bare broker, the same messages';
    return {
      figure: figureOf('tasks a second, few queued', 'tasks/s', mine.tasksPerSecond, name, spreadOf(rates)),
      note: flowNote(flow),
    };
  } finally {
    await bare.stop();
  }
}

async function overQueued({ quick, log }: BenchContext): Promise<Curve> {
  const sizes = quick ? [10, 100] : [1_000, 10_000, 100_000, 1_000_000];
  const system = await ServiceSystem.start([...SERVICES]);
  const fleet = await SimulatedFleet.start(system);
  const rows: (string | number)[][] = [];
  const figures: Figure[] = [];
  const notes: string[] = [];
  const storedBytes = async (): Promise<number> =>
    (await (await manager(system.nc)).streams.info(streams.tasks.name)).state.bytes;
  const resident = (): number[] => SERVICES.map((name) => residentMebibytesOf(system.pidOf(name)));
  try {
    const submitter = new Submitter(system.nc);
    await sample(system, submitter, fleet, quick);
    const empty = resident();
    let smallest: Sample | undefined;
    let queued = 0;
    for (const size of sizes) {
      const [bytesBefore, added] = [await storedBytes(), size - queued];
      await addWaiting(system, submitter, added);
      const bytes = (await storedBytes()) - bytesBefore;
      queued = size;
      const kibibytes = (): number[] =>
        resident().map((now, index) => Math.max(0, ((now - (empty[index] ?? 0)) * 1_024) / size));
      const sums: number[] = [];
      const result = await sample(system, submitter, fleet, quick, () =>
        sums.push(kibibytes().reduce((sum, each) => sum + each, 0)),
      );
      rows.push([size, ...cells(result), ...kibibytes().map((each) => Math.round(each * 10) / 10)]);
      log(`${size} queued: ${result.tasksPerSecond.median.toFixed(0)} tasks/s`);
      if (smallest === undefined) {
        smallest = result;
        const { figure, note } = await besideBareBroker(system, submitter, result, quick);
        figures.push(figure);
        notes.push(note);
      }
      if (size !== sizes.at(-1)) continue;
      figures.push(
        ...largestBesideSmallest(`${count(size)} queued`, `with ${count(sizes[0] ?? 0)}`, result, smallest),
        figureOf(
          `memory of tasks and scheduler a queued task, ${count(size)} queued`,
          'KiB',
          spreadOf(sums),
          'its commit in TASKS, as the broker keeps it',
          spreadOf([bytes / added / 1_024]),
        ),
      );
    }
  } catch (error) {
    // What was measured up to the bend is worth more than nothing.
    rows.push([`stopped: ${(error as Error).message.split('\n')[0]}`]);
  } finally {
    await fleet.stop();
    await system.stop();
  }
  const table = {
    title: 'Growth over queued tasks (10 workers)',
    columns: ['queued', ...columns, 'tasks: KiB a queued task', 'scheduler: KiB a queued task'],
    rows,
  };
  return { table, figures, notes };
}

/** Of windows in which nothing but heartbeats comes: the scheduler beside a reader that only parses them. */
async function atRest(system: ServiceSystem, fleet: SimulatedFleet, seconds: number, windows: number) {
  const bare = await BareHeartbeats.start(system.nc);
  const [ours, beside, shares]: [number[], number[], number[]] = [[], [], []];
  let [beats, failures] = [0, 0];
  // What the start and the first tasks left to do is not rest.
  await pause(seconds);
  for (let window = 0; window < windows; window += 1) {
    const [before, scheduler, own] = [await fleet.tally(), cpuSecondsOf(system.pidOf('scheduler')), process.cpuUsage()];
    await pause(seconds);
    const { user, system: kernel } = process.cpuUsage(own);
    const used = cpuSecondsOf(system.pidOf('scheduler')) - scheduler;
    const after = await fleet.tally();
    const here = Math.max(1, after.heartbeats - before.heartbeats);
    ours.push((used * 1e6) / here);
    beside.push((user + kernel) / here);
    shares.push(used / seconds);
    beats += after.heartbeats - before.heartbeats;
    failures += after.heartbeatFailures - before.heartbeatFailures;
  }
  bare.stop();
  return {
    perSecond: Math.round(beats / seconds / windows),
    failures,
    percentOfCore: Math.round(spreadOf(shares).median * 1_000) / 10,
    ours: spreadOf(ours),
    beside: spreadOf(beside),
  };
}

async function overWorkers({ quick, log }: BenchContext): Promise<Curve> {
  const rows: (string | number)[][] = [];
  const figures: Figure[] = [];
  const sizes = quick ? [1, 5] : [1, 10, 100, 1_000, 10_000];
  let smallest: Sample | undefined;
  for (const workers of sizes) {
    const system = await ServiceSystem.start([...SERVICES]);
    let fleet: SimulatedFleet | undefined;
    try {
      fleet = await SimulatedFleet.start(system, { workers });
      const submitter = new Submitter(system.nc);
      await submitter.submitMany(quick ? 5 : 500, 128);
      await until(async () => (await submitter.active()) === 0, 60_000);
      const last = workers === sizes.at(-1);
      const rest = await atRest(system, fleet, quick ? 1 : 5, last && !quick ? 3 : 1);
      const result = await sample(system, submitter, fleet, quick);
      smallest ??= result;
      rows.push([workers, ...cells(result), rest.perSecond, rest.failures, rest.percentOfCore]);
      log(`${workers} workers: ${result.tasksPerSecond.median.toFixed(0)} tasks/s`);
      if (!last) continue;
      const heartbeats = `CPU of the scheduler for a heartbeat, ${count(workers)} workers at rest`;
      figures.push(
        ...largestBesideSmallest(`${count(workers)} workers`, `with ${count(sizes[0] ?? 0)}`, result, smallest),
        figureOf(heartbeats, 'µs', rest.ours, 'a reader that only parses them', rest.beside),
      );
    } catch (error) {
      rows.push([`${workers}: ${(error as Error).message.split('\n')[0]}`]);
    } finally {
      await fleet?.stop();
      await system.stop();
    }
  }
  const table = {
    title: 'Growth over workers (each with a heartbeat every 5 s, simulated)',
    columns: ['workers', ...columns, 'heartbeats/s at rest', 'not acknowledged', 'scheduler at rest, % of a core'],
    rows,
  };
  return { table, figures };
}

/** A pass of the scheduler must not cost by the number of tasks whose time has not come. */
async function overBackOffs({ quick, log }: BenchContext): Promise<Curve> {
  const delayed = quick ? 100 : 100_000;
  const system = await ServiceSystem.start([...SERVICES]);
  const fleet = await SimulatedFleet.start(system);
  const rows: (string | number)[][] = [];
  const results: Sample[] = [];
  try {
    const submitter = new Submitter(system.nc);
    await sample(system, submitter, fleet, quick);
    for (const size of [0, delayed]) {
      await addWaiting(system, submitter, size, 'in back-off');
      const rest = await atRest(system, fleet, quick ? 1 : 5, quick ? 1 : 3);
      const result = await sample(system, submitter, fleet, quick);
      results.push(result);
      rows.push([size, ...cells(result), rest.percentOfCore]);
      log(`${size} in back-off: ${result.tasksPerSecond.median.toFixed(0)} tasks/s`);
    }
  } finally {
    await fleet.stop();
    await system.stop();
  }
  const [without, having] = results;
  const table = {
    title: 'Growth over tasks in back-off (10 workers)',
    columns: ['in back-off', ...columns, 'scheduler at rest, % of a core'],
    rows,
  };
  if (without === undefined || having === undefined) return { table, figures: [] };
  return { table, figures: largestBesideSmallest(`${count(delayed)} in back-off`, 'with none', having, without) };
}

async function run(context: BenchContext): ReturnType<Bench['run']> {
  const curves = [await overWorkers(context), await overQueued(context), await overBackOffs(context)];
  return {
    figures: curves.flatMap(({ figures }) => figures),
    tables: curves.map(({ table }) => table),
    notes: [
      'Medians and ranges of three rounds: of 1,500 tasks as fast as they are taken, and of 4 s at 100 a second. A curve that is flat has a ratio of 1 beside its smallest size.',
      `The waiting tasks stand in the same queue as those that run, and want ${count(CORES_OF_NO_WORKER)} cores. They are written straight into TASKS; those in back-off failed once and may be tried again half an hour later.`,
      'Without telemetry, so that two cores measure the services whose work could grow. The workers share one process and four broker connections.',
      ...curves.flatMap(({ notes = [] }) => notes),
    ],
  };
}

export const growthBench: Bench = {
  name: 'growth',
  title: 'Growth: queued tasks and workers',
  limitSeconds: 900,
  run,
};
