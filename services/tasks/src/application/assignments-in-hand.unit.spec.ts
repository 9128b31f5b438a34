import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordAssignment } from '../domain/task/task.commands.js';
import { AssignmentsInHand } from './assignments-in-hand.js';

const ofAttempt = (attempt: number): RecordAssignment => ({
  type: 'RecordAssignment',
  attempt,
  workerId: 'w1',
  workerName: 'w1',
  leaseMs: 1,
  gpuIds: [],
  assignedAt: 1,
});

describe('assignments in hand', () => {
  let inHand: AssignmentsInHand;
  let told: string[];
  let alone: number[];
  const hold = (attempt: number, failure?: Error) =>
    inHand.hold('t', ofAttempt(attempt), () => {
      alone.push(attempt);
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    });

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    alone = [];
    inHand = new AssignmentsInHand((taskId) => told.push(taskId));
  });
  afterEach(() => vi.useRealTimers());

  it('are told of, and recorded by themselves when their time is over', async () => {
    const recorded = hold(1);
    expect(told).toEqual(['t']);
    expect([inHand.has('t', 1), inHand.has('t', 2), inHand.has('u', 1)]).toEqual([true, false, false]);
    await vi.advanceTimersByTimeAsync(39);
    expect(alone).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await recorded;
    expect(alone).toEqual([1]);
    expect(inHand.has('t', 1)).toBe(false);
  });

  it('go along with a report of their attempt only, and are recorded once', async () => {
    const recorded = hold(1);
    expect(await inHand.takeAlong('t', 2, (assignment) => Promise.resolve(assignment))).toBeUndefined();
    expect(await inHand.takeAlong('t', 1, (assignment) => Promise.resolve(assignment?.attempt))).toBe(1);
    await recorded;
    await vi.advanceTimersByTimeAsync(100);
    expect(alone).toEqual([]);
    expect(await inHand.takeAlong('t', 1, (assignment) => Promise.resolve(assignment))).toBeUndefined();
  });

  it('are recorded by themselves when the report that took them along cannot be', async () => {
    const recorded = hold(1);
    const refused = inHand.takeAlong('t', 1, () => Promise.reject(new Error('store full')));
    await expect(refused).rejects.toThrow('store full');
    await recorded;
    expect(alone).toEqual([1]);
  });

  it('tell who held them that they could not be recorded, so that the stream delivers them again', async () => {
    const recorded = hold(1, new Error('store full'));
    void recorded.catch(() => undefined);
    await inHand.recordNow('t');
    await expect(recorded).rejects.toThrow('store full');
    expect(inHand.has('t', 1)).toBe(false);
  });

  it('make room for a newer one of the same task', async () => {
    const first = hold(1);
    const second = hold(2);
    await first;
    expect(alone).toEqual([1]);
    expect(inHand.has('t', 2)).toBe(true);
    await inHand.recordNow('t');
    await second;
    expect(alone).toEqual([1, 2]);
  });
});
