import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queued, workerSpec } from '../../testing/samples.js';
import type { Reservation } from '../ledger/reservation-ledger.js';
import { place } from './place.js';
import { PlacementEngine } from './placement-engine.js';
import { compareTasks, type QueuedTask } from './queued-task.js';

const GPUS = 2;
const workers = ['w0', 'w1', 'w2', 'w3'].map((workerId, index) => ({
  workerId,
  open: true,
  spec: workerSpec({
    name: workerId,
    capacity: { cpu: 4 + index, memoryMb: 4_096, storageMb: 10_000 },
    maxTasks: 6,
    queues: index === 3 ? ['batch'] : [],
    gpus: Array.from({ length: index === 2 ? GPUS : 0 }, (_, gpu) => ({
      id: `${workerId}-${gpu}`,
      index: gpu,
      model: 'A100',
      memoryMb: 40_000,
      driver: '1',
    })),
  }),
}));

const task = fc.record({
  // Few enough shapes for several tasks of one, and different enough for none to be contained in another.
  cpu: fc.constantFrom(0.5, 1, 2.5, 4, 5.5),
  memoryMb: fc.constantFrom(8, 1_000, 3_000),
  gpus: fc.constantFrom(0, 0, 0, 1, 2),
  queue: fc.constantFrom('default', 'batch'),
  priority: fc.integer({ min: -1, max: 1 }),
  avoid: fc.constantFrom(undefined, undefined, 'w0'),
});

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(task, { minLength: 1, maxLength: 8 }).map((tasks) => ({ kind: 'submit' as const, tasks })),
  },
  { weight: 3, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'end' as const, pick })) },
  { weight: 1, arbitrary: fc.nat(1_000).map((pick) => ({ kind: 'withdraw' as const, pick })) },
  { weight: 1, arbitrary: fc.nat(3).map((at) => ({ kind: 'open' as const, at })) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 6 }).map((limit) => ({ kind: 'decide' as const, limit })) },
);

it('what it remembers of shapes that fitted nowhere never changes a decision, nor its order', () => {
  let woken = 0;
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'large' }),
      fc.constantFrom('bin-pack', 'spread'),
      (steps, name) => {
        const policy = { default: name, queues: {} } as const;
        const engine = new PlacementEngine(policy);
        const open = new Map(workers.map(({ workerId }) => [workerId, true]));
        for (const { workerId, spec } of workers) engine.putWorker(workerId, spec, true);
        const waiting = new Map<string, QueuedTask>();
        const running: string[] = [];
        let submitted = 0;
        const reservations = (): Reservation[] =>
          workers.flatMap(({ workerId }) => [...engine.ledger.reservationsOn(workerId)]);
        for (const one of steps) {
          if (one.kind === 'submit') {
            for (const { cpu, memoryMb, gpus, queue, priority, avoid } of one.tasks) {
              const resources = { cpu, memoryMb, storageMb: 0, gpu: { count: gpus } };
              const added = queued(`t${submitted}`, { resources, queue, priority }, submitted, avoid);
              submitted += 1;
              waiting.set(added.taskId, added);
              engine.waiting.add(added);
            }
          } else if (one.kind === 'end' && running.length > 0) {
            engine.release(running.splice(one.pick % running.length, 1)[0]!, 1);
          } else if (one.kind === 'withdraw' && waiting.size > 0) {
            const gone = [...waiting.values()][one.pick % waiting.size]!;
            waiting.delete(gone.taskId);
            engine.waiting.remove(gone);
          } else if (one.kind === 'open') {
            const { workerId } = workers[one.at]!;
            open.set(workerId, open.get(workerId) !== true);
            engine.setOpen(workerId, open.get(workerId) === true);
          } else if (one.kind === 'decide') {
            const state = {
              workers: workers.map((worker) => ({ ...worker, open: open.get(worker.workerId)! })),
              reservations: reservations(),
            };
            const expected = place(state, [...waiting.values()].sort(compareTasks), policy, one.limit);
            const decisions = engine.decide(one.limit, () => 1);
            expect(decisions).toEqual(expected);
            if (decisions.length > 0 && waiting.size > decisions.length) woken += 1;
            for (const { taskId } of decisions) {
              waiting.delete(taskId);
              running.push(taskId);
            }
          }
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(woken).toBeGreaterThan(400);
});
