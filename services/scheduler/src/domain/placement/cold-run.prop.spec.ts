import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BitSet } from './bit-set.js';
import { ColdRun, type ColdStretch } from './cold-run.js';
import { shapeOf } from './shape.js';
import { compareTasks, type QueuedTask } from './queued-task.js';
import { TaskGroup } from './task-group.js';

const shape = shapeOf({
  queue: 'default',
  workerLabels: {},
  resources: { cpu: 1, memoryMb: 1, storageMb: 1, gpu: { count: 0 } },
});
const newGroup = (): TaskGroup => new TaskGroup(shape, new BitSet(1), new BitSet(1));
const taskOf = (order: number, priority: number): QueuedTask => ({
  ...{ taskId: `t${order}`, shape, priority, order },
  ...{ image: 'busybox', avoidWorkerId: undefined },
});

/** A group of which `cold` is in a run, as after a start. */
class ColdGroup {
  readonly group = newGroup();
  private readonly rows: QueuedTask[];
  private readonly taken = new Set<number>();

  constructor(cold: readonly QueuedTask[]) {
    this.rows = [...cold];
    const stretches: ColdStretch[] = [];
    this.rows.sort(compareTasks).forEach(({ priority, order }, row) => {
      const last = stretches.at(-1);
      if (last?.priority !== priority) stretches.push({ priority, rows: [row], orders: [order] });
      else stretches.splice(-1, 1, { priority, rows: [...last.rows, row], orders: [...last.orders, order] });
    });
    const source = {
      has: (row: number) => !this.taken.has(row),
      take: (row: number) => this.take(row),
      peek: (row: number) => this.rows[row]!,
    };
    if (cold.length > 0) this.group.addCold(new ColdRun(stretches, source));
  }

  /** As the board does when somebody asks for it. */
  thaw(task: QueuedTask): void {
    const row = this.rows.indexOf(task);
    if (!this.taken.has(row)) this.group.thaw(this.take(row));
  }

  private take(row: number): QueuedTask {
    expect(this.taken.has(row)).toBe(false);
    this.taken.add(row);
    return this.rows[row]!;
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('first' as const), times: fc.integer({ min: 1, max: 90 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      order: fc.nat(5_000),
      priority: fc.integer({ min: 0, max: 2 }),
    }),
  },
);

it('a group with cold tasks answers like one without, whatever is asked, added and taken', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.nat(5_000), fc.integer({ min: 0, max: 2 })), {
        selector: ([order]) => order,
        maxLength: 400,
        size: 'max',
      }),
      fc.array(step, { maxLength: 40, size: 'max' }),
      (drawn, steps) => {
        const tasks = drawn.map(([order, priority]) => taskOf(order, priority));
        const cold = new ColdGroup(tasks);
        const plain = newGroup();
        for (const task of tasks) plain.add(task);
        const here = new Set(tasks);
        for (const one of steps) {
          const picked = 'pick' in one ? [...here][one.pick % Math.max(1, here.size)] : undefined;
          if (one.kind === 'first') {
            for (let time = 0; time < one.times && plain.size > 0; time += 1) {
              expect(cold.group.first).toEqual(plain.first);
              here.delete(plain.first!);
              for (const group of [cold.group, plain]) group.removeFirst();
            }
          } else if (one.kind === 'add') {
            const task = taskOf(one.order, one.priority);
            if ([...here].some(({ order }) => order === one.order)) continue;
            for (const group of [cold.group, plain]) expect(group.add(task)).toBe(true);
            here.add(task);
          } else if (picked !== undefined) {
            if (tasks.includes(picked)) cold.thaw(picked);
            expect(cold.group.has(picked)).toBe(true);
            if (one.kind === 'remove') {
              for (const group of [cold.group, plain]) expect(group.remove(picked)).toBe(true);
              here.delete(picked);
            }
          }
          expect(cold.group.size).toBe(plain.size);
          expect(cold.group.first).toEqual(plain.first);
          for (const task of [taskOf(2_500, 1), ...[...here].slice(0, 5)])
            expect(cold.group.before(task)).toBe(plain.before(task));
          expect(cold.group.take(70).sort(compareTasks).slice(0, 70)).toEqual(plain.take(70));
        }
      },
    ),
    { numRuns: 300 },
  );
});
