import { join } from 'node:path';
import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { Bench, BenchContext, Figure, FreeTable } from '../harness/bench.port.js';
import { spreadOf } from '../harness/spread.js';
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

function cpuSecondsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

function figureOf(core: PlacementCore, of: Case, rounds: number, decisions: number): Figure[] {
  const [fills, steadies]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const run = new PlacementRun(core, of);
    fills.push(run.fill());
    steadies.push(run.steady(decisions));
  }
  const what = `${of.policy}, ${of.distinct === true ? 'every task a shape of its own' : 'mixed shapes'}`;
  const unit = 'decisions per CPU second';
  const goal = of.distinct === true ? undefined : '>= 20,000';
  return [
    { what: `fill, ${what}`, unit, ours: spreadOf(fills), ...(goal === undefined ? {} : { goal }) },
    { what: `steady, ${what}`, unit, ours: spreadOf(steadies), ...(goal === undefined ? {} : { goal }) },
  ];
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
  const figures: Figure[] = [];
  for (const policy of ['bin-pack', 'spread', 'round-robin']) {
    figures.push(...figureOf(core, { policy, ...size }, quick ? 1 : 3, decisions));
    log(`${policy}: ${Math.round(figures.at(-1)?.ours.median ?? 0)} steady decisions per CPU second`);
  }
  figures.push(...figureOf(core, { policy: 'bin-pack', distinct: true, ...size }, 1, quick ? 50 : 5_000));
  return {
    figures,
    tables: [growth(core, quick)],
    notes: [
      `The pure core in one thread: ${size.workers.toLocaleString('en-US')} workers of mixed kinds (a third with 4 or 8 GPUs), ${size.queued.toLocaleString('en-US')} queued tasks (40 % want GPUs). CPU time, which other programs on the machine change little.`,
      'Beside it stand published figures only: the CI floor of kube-scheduler 680-1,100 pods/s, Nomad 3,750/s.',
    ],
  };
}

export const placementBench: Bench = {
  name: 'placement',
  title: 'Placement core',
  limitSeconds: 150,
  run,
};
