import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { PlacementTask } from '../benches/placement-load.js';

interface Machine {
  readonly queues: ReadonlySet<string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly gpuModel: string;
  readonly gpuMemoryMb: number;
  cpu: number;
  memoryMb: number;
  storageMb: number;
  gpus: number;
  slots: number;
}

interface Placed {
  readonly task: PlacementTask;
  readonly machine: Machine;
}

/**
 * The scheduler that one writes in an afternoon: each waiting task in turn, and for each the workers from the first one on until
 * it fits somewhere. No shapes, no indexes, no scores: what it takes to look at everything.
 */
export class FirstFit {
  private readonly machines: Machine[] = [];
  private readonly placed: Placed[] = [];
  private waiting: PlacementTask[] = [];

  get waitingCount(): number {
    return this.waiting.length;
  }

  get runningCount(): number {
    return this.placed.length;
  }

  addWorker({ capacity, gpus, labels, queues, maxTasks }: WorkerSpec): void {
    this.machines.push({
      queues: new Set(queues),
      labels,
      gpuModel: gpus[0]?.model.toLowerCase() ?? '',
      gpuMemoryMb: gpus[0]?.memoryMb ?? 0,
      cpu: capacity.cpu,
      memoryMb: capacity.memoryMb,
      storageMb: capacity.storageMb,
      gpus: gpus.length,
      slots: maxTasks,
    });
  }

  add(task: PlacementTask): void {
    this.waiting.push(task);
  }

  /** One look at every waiting task; answers how many were placed. */
  pass(): number {
    const before = this.placed.length;
    this.waiting = this.waiting.filter((task) => {
      const machine = this.machines.find((candidate) => fits(task, candidate));
      if (machine === undefined) return true;
      take(machine, task, 1);
      this.placed.push({ task, machine });
      return false;
    });
    return this.placed.length - before;
  }

  /** A running task ends. */
  end(index: number): void {
    const ended = this.placed[index];
    const last = this.placed.pop();
    if (ended === undefined || last === undefined) return;
    if (index < this.placed.length) this.placed[index] = last;
    take(ended.machine, ended.task, -1);
  }
}

function fits({ resources, workerLabels, queue }: PlacementTask, machine: Machine): boolean {
  const { cpu, memoryMb, storageMb, gpu } = resources;
  if (machine.slots < 1 || machine.cpu < cpu || machine.memoryMb < memoryMb || machine.storageMb < storageMb)
    return false;
  if (machine.queues.size > 0 && !machine.queues.has(queue)) return false;
  if (gpu.count > 0) {
    if (machine.gpus < gpu.count || machine.gpuMemoryMb < (gpu.memoryMb ?? 0)) return false;
    if (gpu.model !== undefined && !machine.gpuModel.includes(gpu.model.toLowerCase())) return false;
  }
  return Object.entries(workerLabels).every(([name, value]) => machine.labels[name] === value);
}

/** `times` 1 takes, -1 gives back. */
function take(machine: Machine, { resources: { cpu, memoryMb, storageMb, gpu } }: PlacementTask, times: 1 | -1): void {
  machine.cpu -= cpu * times;
  machine.memoryMb -= memoryMb * times;
  machine.storageMb -= storageMb * times;
  machine.gpus -= gpu.count * times;
  machine.slots -= times;
}
