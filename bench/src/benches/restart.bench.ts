import { streams } from '@gantry/contracts/messaging/streams';
import { manager } from '@gantry/jetstream/stream-admin';
import type { Bench, BenchContext, Figure, FreeTable } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import {
  bareRead,
  emptySystem,
  fillClickHouse,
  type Load,
  startWithoutSnapshots,
  writeHistory,
} from '../restart/filled-system.js';
import { type ServiceStart, type StartRound, startRound } from '../restart/start-round.js';
import type { ServiceName, ServiceSystem } from '../system/service-system.js';

const GOAL = '< 10';
const EMPTY = 'the same with empty streams';
const READ = 'a bare client reads TASKS';

interface Measured {
  readonly load: Load;
  readonly full: readonly StartRound[];
  readonly empty: readonly StartRound[];
  readonly reads: readonly number[];
  readonly withoutSnapshots: Readonly<Record<'tasks' | 'scheduler', number>>;
  readonly commits: number;
  readonly bytes: number;
}

async function measure(load: Load, rounds: number, { profileFolder, log }: BenchContext): Promise<Measured> {
  const system = await emptySystem(load, profileFolder);
  let bare: ServiceSystem | undefined;
  try {
    bare = await emptySystem(load, undefined);
    await writeHistory(system, load);
    const { messages, bytes } = (await (await manager(system.nc)).streams.info(streams.tasks.name)).state;
    log(`${load.name}: ${messages} commits written`);
    const withoutSnapshots = await startWithoutSnapshots(system);
    log(`${load.name}: served without snapshots, and saved them`);
    if (load.services.includes('telemetry')) await fillClickHouse(system);
    const [full, empty, reads]: [StartRound[], StartRound[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      full.push(await startRound(system, load, true));
      empty.push(await startRound(bare, load, false));
      reads.push(await bareRead(system));
      log(`${load.name}: round ${round + 1} of ${rounds}`);
    }
    return { load, full, empty, reads, withoutSnapshots, commits: messages, bytes };
  } finally {
    await bare?.stop();
    await system.stop();
  }
}

function spread(rounds: readonly StartRound[], name: ServiceName, of: keyof ServiceStart): Spread {
  return spreadOf(rounds.map(({ services }) => services.get(name)?.[of] ?? Number.NaN));
}

const lastOf = (rounds: readonly StartRound[]): Spread =>
  spreadOf(rounds.map(({ services }) => Math.max(...[...services.values()].map(({ together }) => together))));

function figuresOf({ load, full, empty, reads, withoutSnapshots }: Measured): Figure[] {
  const figure = (what: string, ours: Spread, name: string, value: Spread, goal?: string): Figure => ({
    ...{ what: `${load.name}: ${what}`, unit: 's', ours, beside: { name, value }, ratio: ratioOf(ours, value) },
    ...(goal === undefined ? {} : { goal }),
  });
  const read = spreadOf(reads);
  const firstPlacements = [full, empty].map((rounds) => spreadOf(rounds.map(({ firstPlacement }) => firstPlacement)));
  const [placement = spreadOf([]), placementWhenEmpty = spreadOf([])] = firstPlacements;
  return [
    ...load.services.map((name) =>
      figure(`${name} serves, alone`, spread(full, name, 'alone'), EMPTY, spread(empty, name, 'alone'), GOAL),
    ),
    figure('the scheduler has placed a task', placement, EMPTY, placementWhenEmpty, GOAL),
    figure('all started at once, the last one serves', lastOf(full), EMPTY, lastOf(empty), GOAL),
    ...(['tasks', 'scheduler'] as const).flatMap((name) => [
      figure(`${name} serves, alone`, spread(full, name, 'alone'), READ, read),
      figure(
        `${name} serves without a snapshot, started with the other`,
        spreadOf([withoutSnapshots[name]]),
        READ,
        read,
      ),
    ]),
  ];
}

function costs({ load, full, empty }: Measured): FreeTable {
  const median = (rounds: readonly StartRound[], name: ServiceName, of: keyof ServiceStart): number =>
    Number(spread(rounds, name, of).median.toPrecision(3));
  return {
    title: `Cost of a start, ${load.name} (with empty streams)`,
    columns: ['service', 'CPU, s', 'memory, MiB', 'all at once, s', 'stop, s'],
    rows: load.services.map((name) => [
      name,
      ...(['cpuSeconds', 'mebibytes', 'together', 'stop'] as const).map(
        (of) => `${median(full, name, of)} (${median(empty, name, of)})`,
      ),
    ]),
  };
}

/** A bench for each load: together they would take longer than anybody waits. */
function restartOf(name: string, title: string, load: (tasks: number) => Load, notes: readonly string[]): Bench {
  const run = async (context: BenchContext): ReturnType<Bench['run']> => {
    const [tasks, rounds] = context.quick ? [1_000, 1] : [1_000_000, 3];
    const measured = await measure(load(tasks), rounds, context);
    const { commits, bytes } = measured;
    return {
      figures: figuresOf(measured),
      tables: [costs(measured)],
      notes: [
        `${tasks.toLocaleString('en-US')} stored tasks (${commits.toLocaleString('en-US')} commits, ${Math.round(bytes / 1e6).toLocaleString('en-US')} MB in TASKS), from the spawn of a process until it serves; ${rounds} rounds after a start that is not counted, except that the start without a snapshot is one.`,
        'Beside each start stands that of the same program on a broker of its own whose streams are empty, and beside tasks and scheduler how long the client takes to read TASKS once and do nothing with it: what a start without a snapshot cannot do without.',
        ...notes,
      ],
    };
  };
  return { name, title, limitSeconds: 2_700, onlyByName: true, run };
}

const others: readonly ServiceName[] = ['tasks', 'scheduler', 'auth', 'gateway'];

export const restartBench = restartOf(
  'restart',
  'Restart with 1,000,000 tasks that wait',
  (tasks) => ({ name: 'all queued', ended: 0, queued: tasks, services: [...others, 'telemetry'] }),
  [
    'Telemetry has taken the tasks into its ClickHouse itself. It holds no logs and no samples here. Auth has one user, the gateway nothing that it would read at its start.',
  ],
);

export const restartHistoryBench = restartOf(
  'restart-history',
  'Restart with 900,000 tasks that ended and 100,000 that wait',
  (tasks) => ({ name: 'one in ten queued', ended: tasks - tasks / 10, queued: tasks / 10, services: others }),
  [
    'Without telemetry: its start does not read TASKS again, so what counts is what ClickHouse holds, and with 4.6 million commits to take in the bench would take far longer.',
  ],
);
