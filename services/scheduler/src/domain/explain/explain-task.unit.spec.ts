import { describe, expect, it } from 'vitest';
import { gpus, taskSpec, workerSpec } from '../../testing/samples.js';
import type { WorkerStatus } from '../fleet/worker-record.js';
import { shapeOf } from '../placement/shape.js';
import { explainTask, type ExplainedTask } from './explain-task.js';
import type { ExplainedWorker } from './unmet.js';

type Demand = {
  cpu?: number;
  memoryMb?: number;
  storageMb?: number;
  gpu?: { count: number; model?: string; memoryMb?: number };
};

function waiting(resources: Demand = {}, over: Parameters<typeof taskSpec>[0] = {}): ExplainedTask {
  const spec = taskSpec({
    resources: { cpu: 1, memoryMb: 256, storageMb: 0, gpu: { count: 0 }, ...resources },
    ...over,
  });
  return { shape: shapeOf(spec), placedOn: undefined, cancelling: false, attempt: 1, notBefore: 0, position: 1 };
}

function worker(
  name: string,
  over: Parameters<typeof workerSpec>[0] = {},
  used: Partial<ExplainedWorker['reserved']> = {},
  status: WorkerStatus = 'active',
): ExplainedWorker {
  const reserved = { tasks: 0, cpuCenti: 0, memoryMb: 0, storageMb: 0, gpuIds: new Set<string>(), ...used };
  return { workerId: name, spec: workerSpec({ name, ...over }), status, reserved };
}

const capacity = (cpu: number, memoryMb = 8_192) => ({ capacity: { cpu, memoryMb, storageMb: 100_000 } });
const summary = (task: ExplainedTask, workers: ExplainedWorker[]) => explainTask('t', task, workers, 1_000).summary;

describe('summary', () => {
  it.each<[string, ExplainedTask, ExplainedWorker[]]>([
    ['No worker is connected.', waiting(), []],
    ['No worker is connected.', waiting(), [worker('w', {}, {}, 'lost')]],
    [
      'Waiting: no worker has 1000 cores (largest has 2).',
      waiting({ cpu: 1_000 }),
      [worker('w-1', capacity(1)), worker('w-2', capacity(2))],
    ],
    [
      'Waiting for a free worker: needs 1 core, 0.4 free on worker-1.',
      waiting(),
      [worker('worker-1', capacity(2), { cpuCenti: 160, tasks: 2 })],
    ],
    ['Waiting: no worker has 100 GiB of memory (largest has 8 GiB).', waiting({ memoryMb: 102_400 }), [worker('w')]],
    ['Waiting: no worker has 4 GPUs (most has 2).', waiting({ gpu: { count: 4 } }), [worker('w', { gpus: gpus(2) })]],
    [
      'Waiting: no worker has 1 GPU of model "h100".',
      waiting({ gpu: { count: 1, model: 'H100' } }),
      [worker('w', { gpus: gpus(2) })],
    ],
    [
      'Waiting: no worker has 1 GPU with 78.13 GiB of video memory each.',
      waiting({ gpu: { count: 1, memoryMb: 80_000 } }),
      [worker('w', { gpus: gpus(2) })],
    ],
    [
      'Waiting: no worker serves the queue "batch".',
      waiting({}, { queue: 'batch' }),
      [worker('w', { queues: ['web'] })],
    ],
    ['Waiting: no worker has the label zone=eu.', waiting({}, { workerLabels: { zone: 'eu' } }), [worker('w')]],
    ['Waiting for a free worker: w is inactive.', waiting(), [worker('w', {}, {}, 'inactive')]],
    [
      'Waiting for a free worker: all task slots of w are in use.',
      waiting(),
      [worker('w', { maxTasks: 1 }, { tasks: 1, cpuCenti: 1 })],
    ],
    [
      'Waiting for a free worker: needs 1 GPU, 0 free on w.',
      waiting({ gpu: { count: 1 } }),
      [worker('w', { gpus: gpus(1) }, { gpuIds: new Set(['GPU-0']), tasks: 1 })],
    ],
    [
      'Waiting for a free worker: GPU GPU-0 on worker w is still held by an attempt that is being cleaned up.',
      waiting({ gpu: { count: 1 } }),
      [{ ...worker('w', { gpus: gpus(1) }), heldGpuIds: new Set(['GPU-0']) }],
    ],
    [
      'Waiting: no worker can run it. w-1: It has only 1 core in all; w-2: It has no label zone.',
      waiting({ cpu: 2 }, { workerLabels: { zone: 'eu' } }),
      [worker('w-1', { ...capacity(1), labels: { zone: 'eu' } }), worker('w-2', capacity(4))],
    ],
    ['It fits on w and is about to be placed.', waiting(), [worker('w')]],
    [
      'Waiting: attempt 2 starts in 5 s at the earliest.',
      { ...waiting(), attempt: 2, notBefore: 5_500, position: null },
      [worker('w')],
    ],
    ['It has a worker: w.', { ...waiting(), placedOn: 'w' }, [worker('w')]],
    ['It is being cancelled.', { ...waiting(), cancelling: true }, [worker('w')]],
  ])('%s', (expected, task, workers) => {
    expect(summary(task, workers)).toBe(expected);
  });

  it('says so when the task is not here', () => {
    expect(explainTask('t', undefined, [worker('w')], 5)).toMatchObject({
      state: 'unknown',
      queuePosition: null,
      workers: [],
      checkedAt: 5,
    });
  });
});

it('lists per worker and resource what is missing, and whether it ever could', () => {
  const task = waiting({ cpu: 2, memoryMb: 4_096 });
  const explanation = explainTask(
    't',
    task,
    [worker('small', capacity(1)), worker('full', capacity(4), { cpuCenti: 300, tasks: 3 }), worker('free')],
    1,
  );
  expect(explanation.workers.map(({ workerId, fits }) => [workerId, fits])).toEqual([
    ['small', false],
    ['full', false],
    ['free', true],
  ]);
  expect(explanation.workers[0]!.unmet).toEqual([
    { resource: 'cpu', requested: '2 cores', available: '1 core', never: true, message: 'It has only 1 core in all.' },
  ]);
  expect(explanation.workers[1]!.unmet).toEqual([
    {
      resource: 'cpu',
      requested: '2 cores',
      available: '1 core',
      never: false,
      message: '1 core of 4 cores are free.',
    },
  ]);
});

it('names the devices that are still held, also where others are missing too', () => {
  const unmet = (count: number, reserved: string[]) => {
    const used = { gpuIds: new Set(reserved), tasks: 1 };
    const held = { ...worker('w', { gpus: gpus(3) }, used), heldGpuIds: new Set(['GPU-1', 'GPU-2']) };
    return explainTask('t', waiting({ gpu: { count } }), [held], 1).workers[0]!.unmet;
  };
  expect(unmet(1, [])).toEqual([]);
  expect(unmet(3, [])).toEqual([
    {
      resource: 'gpu_held',
      requested: '3 GPUs',
      available: '1 GPU',
      never: false,
      message: 'GPUs GPU-1, GPU-2 on worker w are still held by attempts that are being cleaned up.',
    },
  ]);
  // What is reserved as well is its own attempt's.
  expect(unmet(3, ['GPU-0', 'GPU-1'])).toMatchObject([
    {
      resource: 'gpu',
      available: '0 GPUs',
      message:
        '0 GPUs that match are free; GPU GPU-2 on worker w is still held by an attempt that is being cleaned up.',
    },
  ]);
});
