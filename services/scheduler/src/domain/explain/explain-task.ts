import type { Explanation } from '@gantry/contracts/scheduling/scheduler-requests';
import { cpuCentiOf, type Shape } from '../placement/shape.js';
import { amount, cores, devices, mebibytes } from './quantities.js';
import { unmetOn, type ExplainedWorker, type Unmet } from './unmet.js';

/** The task as far as an explanation needs it; undefined if it is over or was never seen. */
export interface ExplainedTask {
  readonly shape: Shape;
  /** Name of its worker, if it has one. */
  readonly placedOn: string | undefined;
  readonly cancelling: boolean;
  readonly attempt: number;
  readonly notBefore: number;
  /** 1 = next of its queue; null while it is not in the queue. */
  readonly position: number | null;
}

interface Verdict {
  readonly worker: ExplainedWorker;
  readonly unmet: readonly Unmet[];
}

/** Says per worker and resource why a task waits, and sums it up in one sentence. */
export function explainTask(
  taskId: string,
  task: ExplainedTask | undefined,
  workers: readonly ExplainedWorker[],
  now: number,
): Explanation {
  if (task === undefined) {
    const summary = 'It is not waiting: it has ended, or it has only just been submitted.';
    return { taskId, state: 'unknown', summary, queuePosition: null, workers: [], checkedAt: now };
  }
  const verdicts = workers.map((worker) => ({ worker, unmet: unmetOn(worker, task.shape) }));
  return {
    taskId,
    state: task.placedOn === undefined ? 'waiting' : 'placed',
    summary: summarise(task, verdicts, now),
    queuePosition: task.position,
    workers: verdicts.map(({ worker, unmet }) => ({
      workerId: worker.workerId,
      workerName: worker.spec.name,
      fits: unmet.length === 0,
      unmet: [...unmet],
    })),
    checkedAt: now,
  };
}

function summarise(task: ExplainedTask, verdicts: readonly Verdict[], now: number): string {
  if (task.placedOn !== undefined) return `It has a worker: ${task.placedOn}.`;
  if (task.cancelling) return 'It is being cancelled.';
  if (task.notBefore > now) {
    return `Waiting: attempt ${task.attempt} starts in ${amount(Math.ceil((task.notBefore - now) / 1_000))} s at the earliest.`;
  }
  const present = verdicts.filter(({ worker }) => worker.status !== 'lost' && worker.status !== 'leaving');
  if (present.length === 0) return 'No worker is connected.';
  const fitting = present.find(({ unmet }) => unmet.length === 0);
  if (fitting !== undefined) return `It fits on ${fitting.worker.spec.name} and is about to be placed.`;
  const possible = present.filter(({ unmet }) => unmet.every(({ never }) => !never));
  return possible.length === 0 ? impossible(task.shape, present) : busy(possible);
}

/** Some worker could take it, but not now: what is missing on the one that is nearest to it. */
function busy(possible: readonly Verdict[]): string {
  const nearest = possible.reduce((best, next) => (distance(next) < distance(best) ? next : best));
  const { name } = nearest.worker.spec;
  const unavailable = nearest.unmet.find(({ resource }) => resource === 'status');
  if (unavailable !== undefined) return `Waiting for a free worker: ${name} is ${unavailable.available}.`;
  const missing = nearest.unmet.map(({ resource, requested, available, message }) => {
    if (resource === 'slots') return `all task slots of ${name} are in use`;
    if (resource === 'gpu_held') return message.replace(/\.$/, '');
    return `needs ${requested}, ${bare(available)} free on ${name}`;
  });
  return `Waiting for a free worker: ${missing.join('; ')}.`;
}

/** A worker that is only full is nearer than one that takes no work at all. */
function distance({ unmet }: Verdict): number {
  return unmet.length + (unmet.some(({ resource }) => resource === 'status') ? 100 : 0);
}

/** `0.4 cores` -> `0.4`: the unit was named just before. */
function bare(quantity: string): string {
  return quantity.replace(/ (core|cores|GPU|GPUs)$/, '').replace(/ of (video memory|memory|storage)$/, '');
}

/** No worker could take it even when empty. If one demand alone rules all of them out, that is the sentence. */
function impossible(shape: Shape, present: readonly Verdict[]): string {
  const rulesOutAll = (resource: string) =>
    present.every(({ unmet }) => unmet.some((entry) => entry.never && entry.resource === resource));
  const largest = (of: (worker: ExplainedWorker) => number) => Math.max(...present.map(({ worker }) => of(worker)));
  if (rulesOutAll('queue')) return `Waiting: no worker serves the queue "${shape.queue}".`;
  if (rulesOutAll('labels')) {
    const wanted = shape.labels.map(([key, value]) => `${key}=${value}`).join(', ');
    return `Waiting: no worker has the ${shape.labels.length === 1 ? 'label' : 'labels'} ${wanted}.`;
  }
  if (rulesOutAll('cpu')) {
    const most = largest(({ spec }) => cpuCentiOf(spec.capacity.cpu));
    return `Waiting: no worker has ${cores(shape.cpuCenti)} (largest has ${amount(most / 100)}).`;
  }
  if (rulesOutAll('memory')) {
    const words = mebibytes('memory');
    return `Waiting: no worker has ${words(shape.memoryMb)} (largest has ${bare(words(largest(({ spec }) => spec.capacity.memoryMb)))}).`;
  }
  if (rulesOutAll('storage')) {
    const words = mebibytes('storage');
    return `Waiting: no worker has ${words(shape.storageMb)} (largest has ${bare(words(largest(({ spec }) => spec.capacity.storageMb)))}).`;
  }
  if (rulesOutAll('gpu')) {
    return `Waiting: no worker has ${devices(shape.gpuCount)} (most has ${amount(largest(({ spec }) => spec.gpus.length))}).`;
  }
  if (rulesOutAll('gpu_model'))
    return `Waiting: no worker has ${devices(shape.gpuCount)} of model "${shape.gpuModel ?? ''}".`;
  if (rulesOutAll('gpu_memory')) {
    return `Waiting: no worker has ${devices(shape.gpuCount)} with ${mebibytes('video memory')(shape.gpuMemoryMb)} each.`;
  }
  const reasons = present.slice(0, 3).map(({ worker, unmet }) => {
    const first = unmet.find(({ never }) => never)!;
    return `${worker.spec.name}: ${first.message.replace(/\.$/, '')}`;
  });
  const more = present.length > 3 ? ` (and ${present.length - 3} more)` : '';
  return `Waiting: no worker can run it. ${reasons.join('; ')}${more}.`;
}
