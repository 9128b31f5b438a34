import type { WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import { keyValues } from '../tasks/task-node.js';

export type WorkerNode = ReturnType<typeof workerNode>;

export function workerNode(view: WorkerView) {
  const { spec, counters, allocatedGpuIds, ...rest } = view;
  return {
    ...rest,
    name: spec.name,
    hostname: spec.hostname,
    address: spec.address,
    os: spec.os,
    agentVersion: spec.agentVersion,
    runtime: spec.runtime,
    runtimeVersion: spec.runtimeVersion,
    capacity: spec.capacity,
    gpus: spec.gpus.map((gpu) => ({ ...gpu, allocated: allocatedGpuIds.includes(gpu.id) })),
    labels: keyValues(spec.labels),
    queues: spec.queues,
    maxTasks: spec.maxTasks,
    completed: counters.completed,
    failed: counters.failed,
  };
}
