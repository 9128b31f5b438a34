import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { unmetSchema } from '@gantry/contracts/scheduling/scheduler-requests';
import type { z } from 'zod';
import type { WorkerStatus } from '../fleet/worker-record.js';
import type { WorkerTotals } from '../ledger/reservation-ledger.js';
import { countMatching, deviceMatches, type DeviceDemand } from '../placement/gpu-devices.js';
import { cpuCentiOf, type Shape } from '../placement/shape.js';
import { amount, cores, devices, mebibytes } from './quantities.js';

export type Unmet = z.infer<typeof unmetSchema>;

export interface ExplainedWorker {
  readonly workerId: string;
  readonly spec: WorkerSpec;
  readonly status: WorkerStatus;
  readonly reserved: WorkerTotals;
  /** Devices that something is left on; missing = none. */
  readonly heldGpuIds?: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Everything that keeps a task of this shape off this worker now; empty exactly when placement would accept the worker. */
export function unmetOn({ spec, status, reserved, heldGpuIds = NONE }: ExplainedWorker, shape: Shape): Unmet[] {
  const { capacity, maxTasks } = spec;
  const unmet: Unmet[] = [];
  if (status !== 'active') {
    unmet.push({
      resource: 'status',
      requested: 'active',
      available: status,
      never: false,
      message: `The worker is ${status}.`,
    });
  }
  if (spec.queues.length > 0 && !spec.queues.includes(shape.queue)) {
    const served = spec.queues.join(', ');
    unmet.push({
      resource: 'queue',
      requested: shape.queue,
      available: served,
      never: true,
      message: `It serves only ${served}.`,
    });
  }
  for (const [key, value] of shape.labels) {
    const present = spec.labels[key];
    if (present === value) continue;
    const message = present === undefined ? `It has no label ${key}.` : `Its label ${key} is ${present}, not ${value}.`;
    unmet.push({
      resource: 'labels',
      requested: `${key}=${value}`,
      available: present === undefined ? '' : `${key}=${present}`,
      never: true,
      message,
    });
  }
  quantity(unmet, 'cpu', shape.cpuCenti, cpuCentiOf(capacity.cpu), reserved.cpuCenti, cores);
  quantity(unmet, 'memory', shape.memoryMb, capacity.memoryMb, reserved.memoryMb, mebibytes('memory'));
  quantity(unmet, 'storage', shape.storageMb, capacity.storageMb, reserved.storageMb, mebibytes('storage'));
  gpu(unmet, shape, spec, reserved.gpuIds, heldGpuIds);
  if (maxTasks - reserved.tasks < 1) {
    const never = maxTasks < 1;
    unmet.push({
      resource: 'slots',
      requested: '1',
      available: '0',
      never,
      message: `It runs ${reserved.tasks} of at most ${amount(maxTasks)} tasks.`,
    });
  }
  return unmet;
}

function quantity(
  unmet: Unmet[],
  resource: string,
  requested: number,
  total: number,
  used: number,
  words: (value: number) => string,
): void {
  const free = total - used;
  if (free >= requested) return;
  const never = total < requested;
  const message = never
    ? `It has only ${words(total)} in all.`
    : `${words(Math.max(0, free))} of ${words(total)} are free.`;
  unmet.push({
    resource,
    requested: words(requested),
    available: words(Math.max(0, never ? total : free)),
    never,
    message,
  });
}

/** Names the first of count, model and memory that the devices fail, as if the worker were empty; else what is taken now. */
function gpu(
  unmet: Unmet[],
  shape: Shape,
  spec: WorkerSpec,
  reserved: ReadonlySet<string>,
  held: ReadonlySet<string>,
): void {
  const { gpuCount, gpuModel, gpuMemoryMb } = shape;
  if (gpuCount === 0) return;
  const free = countMatching(spec.gpus, new Set([...reserved, ...held]), shape);
  if (free >= gpuCount) return;
  const total = spec.gpus.length;
  const requested = devices(gpuCount);
  const having = (demand: Omit<DeviceDemand, 'gpuCount'>) => countMatching(spec.gpus, NONE, { gpuCount, ...demand });
  if (total < gpuCount) {
    unmet.push({
      resource: 'gpu',
      requested,
      available: devices(total),
      never: true,
      message: `It has ${devices(total)} in all.`,
    });
    return;
  }
  const ofModel = having({ gpuModel, gpuMemoryMb: 0 });
  if (ofModel < gpuCount) {
    const message = `${devices(ofModel)} of it match "${gpuModel ?? ''}".`;
    unmet.push({
      resource: 'gpu_model',
      requested: `${requested} "${gpuModel ?? ''}"`,
      available: devices(ofModel),
      never: true,
      message,
    });
    return;
  }
  const large = having({ gpuModel, gpuMemoryMb });
  if (large < gpuCount) {
    const each = mebibytes('video memory')(gpuMemoryMb);
    const message = `${devices(large)} of it have at least ${each}.`;
    unmet.push({
      resource: 'gpu_memory',
      requested: `${requested} with ${each}`,
      available: devices(large),
      never: true,
      message,
    });
    return;
  }
  const inTheWay = spec.gpus.filter(({ id }) => held.has(id) && !reserved.has(id));
  const kept = inTheWay.filter((device) => deviceMatches(device, shape)).map(({ id }) => id);
  const stillHeld =
    kept.length === 1
      ? `GPU ${kept.join()} on worker ${spec.name} is still held by an attempt that is being cleaned up`
      : `GPUs ${kept.join(', ')} on worker ${spec.name} are still held by attempts that are being cleaned up`;
  if (free + kept.length >= gpuCount) {
    unmet.push({
      resource: 'gpu_held',
      requested,
      available: devices(free),
      never: false,
      message: `${stillHeld}.`,
    });
    return;
  }
  unmet.push({
    resource: 'gpu',
    requested,
    available: devices(free),
    never: false,
    message: `${devices(free)} that match are free${kept.length === 0 ? '' : `; ${stillHeld}`}.`,
  });
}
