import type { GpuSpec, Heartbeat, WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import { taskSpecSchema, type TaskSpec, type TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import type { QueuedTask } from '../domain/placement/queued-task.js';
import { shapeOf } from '../domain/placement/shape.js';

export function gpus(count: number, model = 'NVIDIA A100-SXM4-40GB', memoryMb = 40_960, prefix = 'GPU'): GpuSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index}`,
    index,
    model,
    memoryMb,
    driver: '550',
  }));
}

export function workerSpec(over: Partial<WorkerSpec> = {}): WorkerSpec {
  return {
    name: 'worker-1',
    hostname: 'host-1',
    address: '10.0.0.1',
    os: 'linux',
    agentVersion: '0.1.0',
    runtime: 'docker',
    runtimeVersion: '27.0',
    capacity: { cpu: 4, memoryMb: 8_192, storageMb: 100_000 },
    gpus: [],
    labels: {},
    queues: [],
    images: [],
    maxTasks: 100,
    ...over,
  };
}

export function heartbeat(workerId: string, over: Partial<Heartbeat> = {}): Heartbeat {
  return {
    workerId,
    session: 'session-1',
    sequence: 1,
    sentAt: 0,
    startedAt: 0,
    spec: workerSpec({ name: workerId }),
    usage: { cpuPercent: 10, memoryUsedMb: 500, storageUsedMb: 10, load1: 0.1 },
    running: [],
    assignSequence: 0,
    counters: { completed: 0, failed: 0 },
    leaving: false,
    ...over,
  };
}

export function taskSpec(over: Partial<TaskSpecInput> = {}): TaskSpec {
  return taskSpecSchema.parse({ name: 'job', image: 'busybox:latest', ...over });
}

export function queued(
  taskId: string,
  over: Partial<TaskSpecInput> = {},
  order = 1,
  avoidWorkerId?: string,
): QueuedTask {
  const spec = taskSpec(over);
  return { taskId, shape: shapeOf(spec), priority: spec.priority, order, image: spec.image, avoidWorkerId };
}
