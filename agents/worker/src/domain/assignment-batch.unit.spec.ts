import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
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
const revoked = (
  taskId: string,
  reason: AssignEventData<'AssignmentRevoked'>['reason'] = 'cancelled',
): AssignEvent => ({
  type: 'AssignmentRevoked',
  data: { taskId, attempt: 1, graceMs: 0, reason, revokedAt: 0 },
});

describe('assignments that were read', () => {
  it('runs none that was revoked later', () => {
    const events = [
      assigned('a', 100_000),
      assigned('b', 99_000),
      revoked('a'),
      { type: 'EpochStarted', data: { epoch: 2, leader: 'x' } } as const,
    ];
    const batch = sortAssignments(events, { unreadMs: 5_000, longestGapMs: 5_000 });
    expect(batch.run.map(({ taskId }) => taskId)).toEqual(['b']);
    expect(batch.stale).toEqual([]);
    expect(batch.revoke.map(({ taskId }) => taskId)).toEqual(['a']);
    expect(batch.cancelled.map(({ taskId }) => taskId)).toEqual(['a']);
  });

  it('tells those that were cancelled, whose end must be said, from those that nobody waits for', () => {
    const events = [
      ...['a', 'b', 'c'].map((taskId) => assigned(taskId, 0)),
      revoked('a', 'superseded'),
      revoked('b'),
      revoked('c', 'worker_lost'),
      revoked('known before'),
    ];
    const batch = sortAssignments(events, { unreadMs: 60_000, longestGapMs: 60_000 });
    expect(batch.cancelled.map(({ taskId }) => taskId)).toEqual(['b']);
    expect([batch.run, batch.stale]).toEqual([[], []]);
  });

  it('takes none when heartbeats were missing for so long that the scheduler may have given it up, however young it is', () => {
    const events = [assigned('young', Date.now()), assigned('old', 0)];
    expect(sortAssignments(events, { unreadMs: 60_000, longestGapMs: 55_999 }).run).toHaveLength(2);
    expect(sortAssignments(events, { unreadMs: 47_499, longestGapMs: 56_000 }).run).toHaveLength(2);
    const silent = sortAssignments(events, { unreadMs: 47_500, longestGapMs: 56_000 });
    expect(silent.run).toEqual([]);
    expect(silent.stale.map(({ taskId }) => taskId)).toEqual(['young', 'old']);
  });
});
