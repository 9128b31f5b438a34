import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { describe, expect, it } from 'vitest';
import { EarlyAssignments } from './early-assignments.js';

const of = (workerId: string, attempt: number, sequence: number) => ({
  data: { taskId: 't', workerId, attempt } as AssignEventData<'TaskAssigned'>,
  sequence,
});

describe('assignments that come before their attempt', () => {
  it('of two workers the first in the stream has it, in whatever order they are read', () => {
    const first = of('w1', 2, 5);
    const second = of('w0', 2, 6);
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const early = new EarlyAssignments();
      expect(early.remember(one)).toBeUndefined();
      expect(early.remember(other)).toBe(second);
      expect(early.take('t', 2)).toBe(first);
    }
  });

  it('a newer attempt replaces an older one, which never comes back', () => {
    const early = new EarlyAssignments();
    const newer = of('w0', 3, 7);
    expect(early.remember(of('w1', 2, 5))).toBeUndefined();
    expect(early.remember(newer)).toBeUndefined();
    expect(early.remember(of('w1', 2, 5))).toBeUndefined();
    expect(early.take('t', 2)).toBeUndefined();
    expect(early.take('t', 3)).toBe(newer);
    expect(early.take('t', 3)).toBeUndefined();
  });
});
