import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';

const MODELS = [
  ['NVIDIA A100-SXM4-40GB', 40_960],
  ['NVIDIA H100 80GB HBM3', 81_920],
  ['NVIDIA L4', 23_034],
  ['Tesla T4', 15_360],
] as const;
const IMAGES = Array.from({ length: 50 }, (_, index) => `registry.example/app-${index}:1`);

export type PlacementTask = Pick<TaskSpec, 'resources' | 'workerLabels' | 'queue'> & { readonly image: string };

/** Workers and tasks of mixed kinds, the same ones in every run. */
export class PlacementLoad {
  private seed = 42;

  /** `distinct`: every task has a shape of its own, the worst case for a scheduler that groups by shape. */
  constructor(private readonly distinct: boolean) {}

  random(limit: number): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * limit);
  }

  worker(index: number): WorkerSpec {
    const gpus = index % 3 === 0 ? this.pick([4, 8]) : 0;
    const [model, memoryMb] = this.pick(MODELS);
    const cpu = gpus > 0 ? this.pick([64, 128]) : this.pick([16, 32, 64, 96]);
    return {
      name: `worker-${index}`,
      hostname: `host-${index}`,
      address: '10.0.0.1',
      os: 'linux',
      agentVersion: '1',
      runtime: 'docker',
      runtimeVersion: '27',
      capacity: { cpu, memoryMb: cpu * 4_096, storageMb: 1_000_000 },
      gpus: Array.from({ length: gpus }, (_, gpu) => ({
        id: `GPU-${index}-${gpu}`,
        index: gpu,
        model,
        memoryMb,
        driver: '550',
      })),
      labels: { zone: this.pick(['a', 'b', 'c']), provider: this.pick(['aws', 'azure', 'on-prem']) },
      queues: index % 10 === 0 ? ['batch'] : [],
      images: Array.from({ length: 10 }, () => this.pick(IMAGES)),
      maxTasks: 64,
    };
  }

  task(): PlacementTask {
    const withGpu = this.random(10) < 4;
    const cpu = this.distinct
      ? 0.5 + this.random(1_600) / 100
      : withGpu
        ? this.pick([2, 4, 8, 16])
        : this.pick([0.5, 1, 2, 4, 8, 16]);
    const gpu = withGpu
      ? this.pick([
          { count: 1 },
          { count: 1, memoryMb: 40_000 },
          { count: 2, model: 'a100' },
          { count: 4 },
          { count: 8, model: 'H100' },
        ])
      : { count: 0 };
    const memoryMb = this.distinct ? 256 + this.random(60_000) : cpu * this.pick([512, 2_048, 4_096]);
    return {
      resources: { cpu, memoryMb, storageMb: 1_024, gpu },
      workerLabels: this.random(10) === 0 ? { zone: this.pick(['a', 'b', 'c']) } : {},
      queue: this.pick(['default', 'default', 'batch', 'web']),
      image: this.pick(IMAGES),
    };
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)]!;
  }
}
