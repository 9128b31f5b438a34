import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import { queued, workerSpec } from '../../testing/samples.js';
import { unmetOn } from '../explain/unmet.js';
import { ReservationLedger, reservationFor } from '../ledger/reservation-ledger.js';
import { place } from './place.js';
import { PlacementEngine } from './placement-engine.js';
import { policyNames } from './placement-policy.js';
import { compareTasks, type QueuedTask } from './queued-task.js';

const MODELS = [
  ['NVIDIA A100-SXM4-40GB', 40_960],
  ['NVIDIA H100 80GB HBM3', 81_920],
  ['Tesla T4', 15_360],
] as const;

const workerArbitrary = fc
  .record({
    cpu: fc.constantFrom(1, 2, 4.5, 16),
    memoryMb: fc.constantFrom(512, 2_048, 65_536),
    devices: fc.array(fc.constantFrom(...MODELS), { maxLength: 4 }),
    zone: fc.constantFrom(undefined, 'a', 'b'),
    queues: fc.constantFrom<string[]>([], ['default'], ['batch', 'default']),
    images: fc.constantFrom<string[]>([], ['busybox:latest'], ['alpine:3']),
    maxTasks: fc.constantFrom(1, 3, 50),
    open: fc.boolean(),
    held: fc.array(fc.nat(3), { maxLength: 2 }),
  })
  .map(({ cpu, memoryMb, devices, zone, open, held, ...rest }) => ({
    open,
    held: (name: string): ReadonlySet<string> => new Set(held.map((index) => `${name}-gpu-${index}`)),
    make: (name: string): WorkerSpec =>
      workerSpec({
        ...rest,
        name,
        capacity: { cpu, memoryMb, storageMb: 10_000 },
        labels: zone === undefined ? {} : { zone },
        gpus: devices.map(([model, memory], index) => ({
          id: `${name}-gpu-${index}`,
          index,
          model,
          memoryMb: memory,
          driver: '1',
        })),
      }),
  }));

const taskArbitrary = fc.record({
  cpu: fc.constantFrom(0.01, 0.1, 0.5, 1, 2, 4, 100),
  memoryMb: fc.constantFrom(8, 512, 2_048),
  gpu: fc.constantFrom(
    { count: 0 },
    { count: 1 },
    { count: 2, model: 'a100' },
    { count: 1, memoryMb: 50_000 },
    { count: 3 },
  ),
  zone: fc.constantFrom(undefined, undefined, 'a'),
  queue: fc.constantFrom('default', 'batch'),
  image: fc.constantFrom('busybox:latest', 'alpine:3'),
  priority: fc.integer({ min: -2, max: 2 }),
  avoid: fc.constantFrom(undefined, undefined, 'w0'),
});

type TaskSample = typeof taskArbitrary extends fc.Arbitrary<infer T> ? T : never;

function taskOf({ cpu, memoryMb, gpu, zone, queue, image, priority, avoid }: TaskSample, index: number): QueuedTask {
  const resources = { cpu, memoryMb, storageMb: 100, gpu };
  return queued(
    `t${index}`,
    { resources, queue, image, priority, workerLabels: zone === undefined ? {} : { zone } },
    index,
    avoid,
  );
}

const scenario = fc.record({
  workers: fc.array(workerArbitrary, { minLength: 0, maxLength: 8 }),
  tasks: fc.array(taskArbitrary, { maxLength: 40 }),
  policy: fc.constantFrom(...policyNames),
});

type WorkerSample = typeof workerArbitrary extends fc.Arbitrary<infer T> ? T : never;

function specsOf(workers: readonly WorkerSample[]) {
  return workers.map(({ open, make, held }, index) => ({
    workerId: `w${index}`,
    spec: make(`w${index}`),
    open,
    heldGpuIds: held(`w${index}`),
  }));
}

describe('placement', () => {
  it('never over-commits: every decision fits what was free when it was made', () => {
    fc.assert(
      fc.property(scenario, ({ workers, tasks, policy }) => {
        const cluster = specsOf(workers);
        const queue = tasks.map(taskOf);
        const decisions = place({ workers: cluster, reservations: [] }, queue, { default: policy, queues: {} });
        const ledger = new ReservationLedger();
        for (const { taskId, workerId, gpuIds } of decisions) {
          const task = queue.find((candidate) => candidate.taskId === taskId)!;
          const worker = cluster.find((candidate) => candidate.workerId === workerId)!;
          expect(
            unmetOn(
              { ...worker, status: worker.open ? 'active' : 'inactive', reserved: ledger.totals(workerId) },
              task.shape,
            ),
          ).toEqual([]);
          const taken = ledger.totals(workerId).gpuIds;
          expect(new Set(gpuIds).size).toBe(task.shape.gpuCount);
          for (const id of gpuIds) {
            expect(taken.has(id)).toBe(false);
            expect(worker.heldGpuIds.has(id)).toBe(false);
            const device = worker.spec.gpus.find((gpu) => gpu.id === id)!;
            expect(device.memoryMb).toBeGreaterThanOrEqual(task.shape.gpuMemoryMb);
            expect(device.model.toLowerCase()).toContain(task.shape.gpuModel ?? '');
          }
          expect(ledger.reserve(reservationFor({ taskId, attempt: 1 }, task.shape, workerId, gpuIds))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nothing waiting that fits, and explains the rest on every worker', () => {
    fc.assert(
      fc.property(scenario, ({ workers, tasks, policy }) => {
        const cluster = specsOf(workers);
        const queue = tasks.map(taskOf);
        const engine = new PlacementEngine({ default: policy, queues: {} });
        for (const { workerId, spec, open, heldGpuIds } of cluster) {
          engine.putWorker(workerId, spec, open);
          engine.setHeldGpus(workerId, heldGpuIds);
        }
        for (const task of queue) engine.waiting.add(task);
        const decided = new Set(engine.decide(1_000, () => 1).map(({ taskId }) => taskId));
        for (const task of queue.filter(({ taskId }) => !decided.has(taskId))) {
          for (const { open, ...worker } of cluster) {
            const reserved = engine.ledger.totals(worker.workerId);
            const unmet = unmetOn({ ...worker, status: open ? 'active' : 'inactive', reserved }, task.shape);
            expect(unmet).not.toEqual([]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('decides the same again from the same state', () => {
    fc.assert(
      fc.property(scenario, ({ workers, tasks, policy }) => {
        const run = () =>
          place({ workers: specsOf(workers), reservations: [] }, tasks.map(taskOf), { default: policy, queues: {} });
        expect(run()).toEqual(run());
      }),
    );
  });

  /** The engine remembers what did not fit; a history of ends and arrivals must leave it as good as one that remembers nothing. */
  it('stays complete while tasks end, workers come and go, and tasks are withdrawn', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: taskArbitrary.map((task) => ({ kind: 'submit' as const, task })) },
      { weight: 2, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'end' as const, pick })) },
      { weight: 1, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'withdraw' as const, pick })) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.nat(7), workerArbitrary)
          .map(([at, worker]) => ({ kind: 'worker' as const, at, worker })),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.nat(7), workerArbitrary).map(([at, { held }]) => ({ kind: 'held' as const, at, held })),
      },
      { weight: 3, arbitrary: fc.constant({ kind: 'decide' as const }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(...policyNames), (steps, policy) => {
        const engine = new PlacementEngine({ default: policy, queues: {} });
        const present = new Map<string, { spec: WorkerSpec; open: boolean }>();
        const waiting = new Map<string, QueuedTask>();
        const running: string[] = [];
        const checkComplete = () => {
          for (const decision of engine.decide(1_000, () => 1)) {
            expect(waiting.delete(decision.taskId)).toBe(true);
            running.push(decision.taskId);
          }
          for (const task of waiting.values()) {
            for (const [workerId, { spec, open }] of present) {
              const worker = {
                workerId,
                spec,
                status: open ? ('active' as const) : ('lost' as const),
                reserved: engine.ledger.totals(workerId),
                heldGpuIds: engine.heldGpuIds(workerId),
              };
              expect(unmetOn(worker, task.shape)).not.toEqual([]);
            }
          }
        };
        steps.forEach((one, index) => {
          if (one.kind === 'submit') {
            const task = taskOf(one.task, index);
            waiting.set(task.taskId, task);
            engine.waiting.add(task);
            engine.waiting.add({ ...task });
          } else if (one.kind === 'end' && running.length > 0) {
            const [taskId] = running.splice(one.pick % running.length, 1);
            expect(engine.release(taskId!, 1)).toBeDefined();
          } else if (one.kind === 'withdraw' && waiting.size > 0) {
            const task = [...waiting.values()][one.pick % waiting.size]!;
            waiting.delete(task.taskId);
            expect(engine.waiting.remove(task)).toBe(true);
            expect(engine.waiting.remove(task)).toBe(false);
            expect(engine.waiting.position(task)).toBeUndefined();
          } else if (one.kind === 'worker') {
            const workerId = `w${one.at}`;
            const spec = one.worker.make(workerId);
            present.set(workerId, { spec, open: one.worker.open });
            engine.putWorker(workerId, spec, one.worker.open);
          } else if (one.kind === 'held') {
            const workerId = `w${one.at}`;
            engine.setHeldGpus(workerId, one.held(workerId));
          } else {
            checkComplete();
          }
        });
        checkComplete();
        expect(engine.waiting.size).toBe(waiting.size);
        expect(engine.waiting.list(1_000).map(({ task }) => task.taskId)).toEqual(
          [...waiting.values()].sort(compareTasks).map(({ taskId }) => taskId),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('queue positions', () => {
  it('count the tasks of the same queue that run before', () => {
    fc.assert(
      fc.property(fc.array(taskArbitrary, { minLength: 1, maxLength: 30 }), (tasks) => {
        const engine = new PlacementEngine({ default: 'bin-pack', queues: {} });
        const queue = tasks.map(taskOf);
        for (const task of queue) engine.waiting.add(task);
        const sorted = [...queue].sort(compareTasks);
        for (const task of queue) {
          const ofQueue = sorted.filter(({ shape }) => shape.queue === task.shape.queue);
          expect(engine.waiting.position(task)).toBe(ofQueue.indexOf(task) + 1);
        }
      }),
    );
  });
});
