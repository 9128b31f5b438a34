import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DelayedTasks } from './delayed-tasks.js';
import type { TaskEntry } from './task-entry.js';

const task = fc.nat(9);
const time = fc.nat(100);
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), task, time }),
  fc.record({ kind: fc.constant('delete' as const), task, time }),
  fc.record({ kind: fc.constant('take' as const), task, time }),
  fc.record({ kind: fc.constant('clock' as const), task, time: fc.integer({ min: -50, max: 50 }) }),
);

it('answers who is due like a list that is searched, whatever comes, leaves, comes back and is set', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const delayed = new DelayedTasks();
      const entries = Array.from({ length: 10 }, (_, index) => ({ taskId: `t${index}`, notBefore: 0 }) as TaskEntry);
      const naive = new Set<TaskEntry>();
      for (const { kind, task: index, time: at } of steps) {
        const entry = entries[index]!;
        if (kind === 'add' && !naive.has(entry)) {
          entry.notBefore = at;
          naive.add(entry);
          delayed.add(entry);
        } else if (kind === 'delete') {
          naive.delete(entry);
          delayed.delete(entry);
        } else if (kind === 'take') {
          const due = [...naive].filter(({ notBefore }) => notBefore <= at);
          expect(new Set(delayed.takeDue(at))).toEqual(new Set(due));
          for (const one of due) naive.delete(one);
        } else if (kind === 'clock') {
          const before = [...naive].map((one) => [one, one.notBefore + at] as const);
          delayed.clockStepped(at);
          for (const [one, expected] of before) expect(one.notBefore).toBe(expected);
        }
        const next = naive.size === 0 ? undefined : Math.min(...[...naive].map(({ notBefore }) => notBefore));
        expect(delayed.nextDueAt()).toBe(next);
      }
    }),
    { numRuns: 1_000 },
  );
});
