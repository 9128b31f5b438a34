import { join } from 'node:path';
import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { Bench, BenchContext, Figure, FreeTable } from '../harness/bench.port.js';
import { ratioOf, type Spread, spreadOf } from '../harness/spread.js';
import { FirstFit } from '../peers/first-fit.js';
import { repository } from '../system/service-system.js';
import { PlacementLoad, type PlacementTask } from './placement-load.js';

/** The part of the scheduler's pure core that is measured; a service exports nothing, so it is loaded from its build. */
interface PlacementEngine {
  readonly waiting: { readonly size: number; add(task: object): void };
  readonly hasReady: boolean;
  putWorker(id: string, spec: WorkerSpec, active: boolean): void;
  decide(limit: number, attemptOf: (taskId: string) => number): readonly { readonly taskId: string }[];
  release(taskId: string, attempt: number): void;
}
interface PlacementCore {
  createEngine(policy: string): PlacementEngine;
  shapeOf(task: Omit<PlacementTask, 'image'>): unknown;
}

async function loadCore(): Promise<PlacementCore> {
  const folder = join(repository, 'services/scheduler/dist/domain/placement');
  const { PlacementEngine } = (await import(join(folder, 'placement-engine.js'))) as {
    PlacementEngine: new (choice: { default: string; queues: object }) => PlacementEngine;
  };
  const { shapeOf } = (await import(join(folder, 'shape.js'))) as Pick<PlacementCore, 'shapeOf'>;
  return { createEngine: (policy) => new PlacementEngine({ default: policy, queues: {} }), shapeOf };
}

interface Case {
  readonly policy: string;
  readonly workers: number;
  readonly queued: number;
  readonly distinct?: boolean;
}

const BATCH = 50;
/** Steady decisions where each takes about 9 ms. */
const DISTINCT_DECISIONS = 1_000;
const WARM_UP_DECISIONS = 500;
/** CPU of a steady round of first fit. */
const NAIVE_SECONDS = 2;
const PUBLISHED = 'kube-scheduler 680-1,100 pods/s, Nomad 3,750/s';

class PlacementRun {
  private readonly engine: PlacementEngine;
  private readonly load: PlacementLoad;
  private readonly running: string[] = [];
  private submitted = 0;

  constructor(
    private readonly core: PlacementCore,
    private readonly of: Case,
  ) {
    this.engine = core.createEngine(of.policy);
    this.load = new PlacementLoad(of.distinct ?? false);
    for (let index = 0; index < of.workers; index += 1)
      this.engine.putWorker(`worker-${index}`, this.load.worker(index), true);
  }

  /** From empty until nothing fits and the queue is full. Decisions per CPU second. */
  fill(): number {
    this.submitUntilFull();
    const began = process.cpuUsage();
    let decisions = 0;
    do decisions += this.decide();
    while (this.engine.hasReady);
    const rate = decisions / cpuSecondsSince(began);
    this.submitUntilFull();
    while (this.engine.hasReady) this.decide();
    return rate;
  }

  /** Tasks end in batches and the freed room is filled again. Decisions per CPU second. */
  steady(wanted: number): number {
    let decisions = 0;
    let seconds = 0;
    for (let pass = 0; decisions < wanted && pass < wanted; pass += 1) {
      const ended = Array.from({ length: BATCH }, () => this.takeRunning()).filter((id) => id !== undefined);
      const began = process.cpuUsage();
      for (const taskId of ended) this.engine.release(taskId, 1);
      do decisions += this.decide();
      while (this.engine.hasReady);
      seconds += cpuSecondsSince(began);
      this.submitUntilFull();
    }
    return decisions / seconds;
  }

  private decide(): number {
    const decisions = this.engine.decide(1_000, () => 1);
    for (const { taskId } of decisions) this.running.push(taskId);
    return decisions.length;
  }

  private takeRunning(): string | undefined {
    const at = this.load.random(this.running.length);
    const taskId = this.running[at];
    const last = this.running.pop();
    if (last !== undefined && at < this.running.length) this.running[at] = last;
    return taskId;
  }

  private submitUntilFull(): void {
    while (this.engine.waiting.size < this.of.queued) {
      const { image, ...task } = this.load.task();
      this.engine.waiting.add({
        taskId: `task-${this.submitted}`,
        shape: this.core.shapeOf(task),
        priority: this.load.random(5) - 2,
        order: this.submitted,
        image,
        avoidWorkerId: undefined,
      });
      this.submitted += 1;
    }
  }
}

/** The same workers and tasks, decided by looking at everything. */
class NaiveRun {
  private readonly scheduler = new FirstFit();
  private readonly load: PlacementLoad;

  constructor(private readonly of: Case) {
    this.load = new PlacementLoad(of.distinct ?? false);
    for (let index = 0; index < of.workers; index += 1) this.scheduler.addWorker(this.load.worker(index));
  }

  fill(): number {
    this.submitUntilFull();
    const began = process.cpuUsage();
    const decisions = this.scheduler.pass();
    const rate = decisions / cpuSecondsSince(began);
    this.submitUntilFull();
    return rate;
  }

  /** Of as many passes as it takes to use some seconds; where the fleet is large, that is one. */
  steady(): number {
    let decisions = 0;
    let seconds = 0;
    do {
      for (let ended = 0; ended < BATCH; ended += 1) this.scheduler.end(this.load.random(this.scheduler.runningCount));
      const began = process.cpuUsage();
      decisions += this.scheduler.pass();
      seconds += cpuSecondsSince(began);
      this.submitUntilFull();
    } while (seconds < NAIVE_SECONDS);
    return decisions / seconds;
  }

  private submitUntilFull(): void {
    while (this.scheduler.waitingCount < this.of.queued) {
      this.scheduler.add(this.load.task());
      // As many numbers are drawn as for ours, so that the tasks are the same ones.
      this.load.random(5);
    }
  }
}

interface Rates {
  readonly fill: Spread;
  readonly steady: Spread;
}

function naiveRates(of: Case, rounds: number): Rates {
  const [fills, steadies]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const run = new NaiveRun(of);
    fills.push(run.fill());
    steadies.push(run.steady());
  }
  return { fill: spreadOf(fills), steady: spreadOf(steadies) };
}

function cpuSecondsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

/** The first round is a warm-up: the code is compiled in it, and it counts for nothing. */
function figuresOf(core: PlacementCore, of: Case, rounds: number, decisions: number, naive: Rates): Figure[] {
  const [fills, steadies]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round += 1) {
    const run = new PlacementRun(core, of);
    const [fill, steady] = [run.fill(), run.steady(round < 0 ? Math.min(decisions, WARM_UP_DECISIONS) : decisions)];
    if (round < 0) continue;
    fills.push(fill);
    steadies.push(steady);
  }
  const load = `${of.policy}, ${of.distinct === true ? 'every task a shape of its own' : 'mixed shapes'}`;
  const figure = (phase: keyof Rates, values: readonly number[]): Figure => ({
    what: `${phase}, ${load}`,
    unit: 'decisions per CPU second',
    ours: spreadOf(values),
    beside: { name: 'first fit: each task, each worker', value: naive[phase] },
    ratio: ratioOf(spreadOf(values), naive[phase]),
    ...(of.distinct === true ? {} : { goal: '>= 20,000' }),
    reference: PUBLISHED,
  });
  return [figure('fill', fills), figure('steady', steadies)];
}

function growth(core: PlacementCore, quick: boolean): FreeTable {
  const decisions = quick ? 200 : 20_000;
  const rate = (workers: number, queued: number): number => {
    const run = new PlacementRun(core, { policy: 'bin-pack', workers, queued });
    run.fill();
    return Math.round(run.steady(decisions));
  };
  const queues = quick ? [100, 1_000] : [1_000, 10_000, 100_000, 1_000_000];
  const fleets = quick ? [1, 10] : [1, 10, 100, 1_000, 10_000];
  const [workers, queued] = quick ? [10, 100] : [1_000, 10_000];
  return {
    title: 'Growth: steady decisions per CPU second, bin-pack',
    columns: ['workers', 'queued', 'decisions per CPU second'],
    rows: [
      ...queues.map((count) => [workers, count, rate(workers, count)]),
      ...fleets.map((count) => [count, queued, rate(count, queued)]),
    ],
  };
}

async function run({ quick, log }: BenchContext): ReturnType<Bench['run']> {
  const core = await loadCore();
  const size = quick ? { workers: 20, queued: 200 } : { workers: 5_000, queued: 100_000 };
  const decisions = quick ? 100 : 50_000;
  const rounds = quick ? 1 : 3;
  const figures: Figure[] = [];
  const naive = naiveRates({ policy: 'first-fit', ...size }, rounds);
  log(`first fit: ${Math.round(naive.steady.median)} steady decisions per CPU second`);
  for (const policy of ['bin-pack', 'spread', 'round-robin']) {
    figures.push(...figuresOf(core, { policy, ...size }, rounds, decisions, naive));
    log(`${policy}: ${Math.round(figures.at(-1)?.ours.median ?? 0)} steady decisions per CPU second`);
  }
  const distinct = { distinct: true, ...size };
  const naiveDistinct = naiveRates({ policy: 'first-fit', ...distinct }, rounds);
  const own = { policy: 'bin-pack', ...distinct };
  figures.push(...figuresOf(core, own, rounds, quick ? 50 : DISTINCT_DECISIONS, naiveDistinct));
  return {
    figures,
    tables: [growth(core, quick)],
    notes: [
      `The pure core in one thread: ${size.workers.toLocaleString('en-US')} workers of mixed kinds (a third with 4 or 8 GPUs), ${size.queued.toLocaleString('en-US')} queued tasks (40 % want GPUs). CPU time, which other programs on the machine change little.`,
      'Beside it, in one run: first fit over the same workers and tasks, which looks at each waiting task and for each at the workers from the first one on; it prefers no worker, so it does less than any of our policies.',
      'Published by others, on machines of theirs and with their API and store around it: the CI floor of kube-scheduler is 680-1,100 pods/s, Nomad 3,750/s.',
      `Medians of ${rounds} rounds after a warm-up, each from an empty fleet; with shapes of their own of ${DISTINCT_DECISIONS.toLocaleString('en-US')} steady decisions, with mixed ones of ${decisions.toLocaleString('en-US')}.`,
    ],
  };
}

export const placementBench: Bench = {
  name: 'placement',
  title: 'Placement core',
  limitSeconds: 900,
  run,
};
