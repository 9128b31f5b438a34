import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { describe, expect, it } from 'vitest';
import { sortAssignments } from './assignment-batch.js';

const assigned = (taskId: string, assignedAt: number): AssignEvent => ({
  type: 'TaskAssigned',
  data: {
    taskId,
    attempt: 1,
    ownerId: 'o',
    spec: taskSpecSchema.parse({ name: 't', image: 'i' }),
    workerId: 'w',
    workerName: 'w',
    gpuIds: [],
    leaseMs: 60_000,
    assignedAt,
  },
});
const revoked = (taskId: string): AssignEvent => ({
  type: 'AssignmentRevoked',
  data: { taskId, attempt: 1, graceMs: 0, reason: 'cancelled', revokedAt: 0 },
});

describe('assignments that were read', () => {
  it('runs none that was revoked later, and takes none that is older than its lease when they were missed', () => {
    const events = [
      assigned('a', 100_000),
      assigned('old', 40_000),
      assigned('b', 99_000),
      revoked('a'),
      { type: 'EpochStarted', data: { epoch: 2, leader: 'x' } } as const,
    ];
    const missed = sortAssignments(events, true, 100_000);
    expect(missed.run.map(({ taskId }) => taskId)).toEqual(['b']);
    expect(missed.stale.map(({ taskId }) => taskId)).toEqual(['old']);
    expect(missed.revoke.map(({ taskId }) => taskId)).toEqual(['a']);
  });

  it('does not look at ages while connected: the clocks of two machines differ', () => {
    expect(sortAssignments([assigned('old', 0)], false, 1_000_000).run).toHaveLength(1);
  });
});
