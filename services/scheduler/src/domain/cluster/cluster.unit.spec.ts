import { pagesOf } from '@gantry/event-sourcing/testing/pages-of';
import { describe, expect, it } from 'vitest';
import { heartbeat } from '../../testing/samples.js';
import { apply, beat, History, newCluster } from '../../testing/histories.js';
import type { Cluster } from './cluster.js';

const heldCpu = (cluster: Cluster, workerId: string) => cluster.engine.ledger.totals(workerId).cpuCenti;

describe('a task over its streams', () => {
  it('is placed once, whichever stream shows the assignment first, and however often', () => {
    const history = new History();
    const submitted = history.submitted('t');
    const assigned = history.assigned('t', 'w');
    const recorded = history.recorded('t', 'w');
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 0, 1, 0, 2, 1, 2],
    ];
    for (const order of orders) {
      const cluster = newCluster();
      beat(cluster, 'w', 1, 10);
      for (const step of order) {
        if (step === 1) cluster.board.applyAssignCommit(assigned);
        else apply(cluster, step === 0 ? submitted : recorded);
      }
      expect(cluster.decide(10, 100)).toEqual([]);
      expect(heldCpu(cluster, 'w')).toBe(100);
      expect(cluster.board.get('t')!.assignment).toMatchObject({ workerId: 'w', attempt: 1, recorded: true });
    }
  });

  it('frees its room at its end and at every requeue, once', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 10);
    apply(cluster, history.submitted('t'));
    expect(cluster.decide(10, 10).map(({ attempt }) => attempt)).toEqual([1]);
    cluster.board.applyAssignCommit(history.assigned('t', 'w'));
    apply(cluster, history.recorded('t', 'w'));
    const requeued = history.requeued('t', 1, 500);
    apply(cluster, requeued);
    apply(cluster, requeued);
    expect(heldCpu(cluster, 'w')).toBe(0);
    expect(cluster.decide(499, 10)).toEqual([]);
    expect(cluster.board.nextDueAt()).toBe(500);
    expect(cluster.decide(500, 10).map(({ taskId, attempt }) => [taskId, attempt])).toEqual([['t', 2]]);
    apply(cluster, history.recorded('t', 'w', 2));
    apply(cluster, history.task('t', { type: 'TaskSucceeded', data: { attempt: 2, exitCode: 0, finishedAt: 600 } }));
    expect(heldCpu(cluster, 'w')).toBe(0);
    expect(cluster.board.size).toBe(0);
  });

  it('never places what was cancelled while it waited out its back-off', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 10);
    apply(cluster, history.submitted('t'));
    cluster.decide(10, 10);
    apply(cluster, history.recorded('t', 'w'));
    apply(cluster, history.requeued('t', 1, 500));
    expect(cluster.board.nextDueAt()).toBe(500);
    const cancel = { requestedBy: 'u', graceMs: 1, at: 20 };
    const ended = { type: 'TaskCancelled' as const, data: { attempt: 0, finishedAt: 20 } };
    apply(cluster, history.task('t', { type: 'TaskCancelRequested', data: cancel }, ended));
    expect(cluster.board.nextDueAt()).toBeUndefined();
    expect(cluster.decide(600, 10)).toEqual([]);
    expect(heldCpu(cluster, 'w')).toBe(0);
    expect(cluster.board.size).toBe(0);
  });

  it('remembers nothing of tasks that are over, though nobody takes the revocations: a standby decides nothing', () => {
    const history = new History();
    const standby = newCluster();
    const cancel = { requestedBy: 'u', graceMs: 1, at: 2 };
    for (const taskId of ['waiting', 'running']) apply(standby, history.submitted(taskId));
    apply(standby, history.recorded('running', 'w'));
    for (const [taskId, attempt] of [
      ['waiting', 0],
      ['running', 1],
    ] as const) {
      const ended = { type: 'TaskCancelled' as const, data: { attempt, finishedAt: 3 } };
      apply(standby, history.task(taskId, { type: 'TaskCancelRequested', data: cancel }, ended));
    }
    expect(standby.board.size).toBe(0);
    expect(standby.board.recalls['noted'].size).toBe(0);
  });

  it('waits as long as was meant, though the clock of who wrote it, or of this machine, was set', () => {
    const waiting = (writtenAt: number) => {
      const history = new History();
      const cluster = newCluster();
      beat(cluster, 'w', 1, 10);
      apply(cluster, history.submitted('t'));
      cluster.decide(10, 10);
      apply(cluster, history.recorded('t', 'w'));
      const failure = { class: 'user_exit' as const, message: 'x' };
      const data = {
        endedAttempt: 1,
        nextAttempt: 2,
        failure,
        notBefore: writtenAt + 500,
        at: writtenAt,
        usedRetry: true,
      };
      cluster.board.applyTaskCommit(history.task('t', { type: 'TaskRequeued', data }), 10_000);
      return cluster;
    };
    const hours = 7_200_000;
    expect(waiting(10_000).board.nextDueAt()).toBe(10_500);
    expect(waiting(10_000 + hours).board.nextDueAt()).toBe(10_500);
    expect(waiting(10_000 - hours).board.nextDueAt()).toBeUndefined();
    const set = waiting(10_000);
    set.board.clockStepped(-hours);
    expect(set.board.nextDueAt()).toBe(10_500 - hours);
  });

  it('is placed with the memory that its retry got, whatever the streams show first', () => {
    const history = new History();
    const resources = { cpu: 1, memoryMb: 6_000, storageMb: 0, gpu: { count: 0 } };
    const submitted = history.submitted('t', { resources, retries: 3, retryMemoryFactor: 1.2 });
    const requeuedWith = (endedAttempt: number, memoryMb: number) => {
      const failure = { class: 'out_of_memory' as const, message: 'too small' };
      const data = { endedAttempt, nextAttempt: endedAttempt + 1, failure, notBefore: 0, at: 2, usedRetry: true };
      return history.task('t', { type: 'TaskRequeued', data: { ...data, memoryMb } });
    };
    const recorded = history.recorded('t', 'w');
    const requeued = requeuedWith(1, 7_200);
    const second = history.assigned('t', 'w', 2);
    const heldMemory = (cluster: Cluster) => cluster.engine.ledger.totals('w').memoryMb;

    const cluster = newCluster();
    beat(cluster, 'w', 1, 10);
    apply(cluster, submitted);
    const [first] = cluster.decide(10, 10);
    expect(first?.spec.resources.memoryMb).toBe(6_000);
    expect(first?.spec).not.toHaveProperty('retryMemoryFactor');
    expect(heldMemory(cluster)).toBe(6_000);
    apply(cluster, recorded);
    apply(cluster, requeued);
    expect(heldMemory(cluster)).toBe(0);
    expect(cluster.decide(10, 10)).toMatchObject([{ attempt: 2, spec: { resources: { cpu: 1, memoryMb: 7_200 } } }]);
    expect(heldMemory(cluster)).toBe(7_200);

    const restarted = newCluster();
    beat(restarted, 'w', 1, 10);
    restarted.board.applyAssignCommit(second);
    for (const stored of [submitted, recorded, requeued]) apply(restarted, stored);
    expect(heldMemory(restarted)).toBe(7_200);

    apply(cluster, history.recorded('t', 'w', 2));
    apply(cluster, requeuedWith(2, 8_640));
    expect(cluster.decide(10, 10)).toEqual([]);
  });

  it('goes back to the queue when the broker refuses its assignment', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 10);
    apply(cluster, history.submitted('t'));
    cluster.decide(10, 10);
    cluster.board.refuse('t', 1);
    cluster.board.refuse('t', 1);
    expect(heldCpu(cluster, 'w')).toBe(0);
    expect(cluster.decide(10, 10)).toHaveLength(1);
    cluster.board.applyAssignCommit(history.assigned('t', 'w'));
    cluster.board.refuse('t', 1);
    expect(heldCpu(cluster, 'w')).toBe(100);
  });

  it('given to two workers stays with the first in the stream; the other is told to stop', () => {
    const history = new History();
    const cluster = newCluster();
    apply(cluster, history.submitted('t'));
    const first = history.assigned('t', 'w1');
    const second = history.assigned('t', 'w2');
    cluster.board.applyAssignCommit(second);
    cluster.board.applyAssignCommit(first);
    expect(cluster.board.get('t')!.assignment).toMatchObject({ workerId: 'w1' });
    expect(cluster.board.recalls.takeRevocations()).toMatchObject([
      { workerId: 'w2', taskId: 't', attempt: 1, reason: 'superseded' },
    ]);
    expect([heldCpu(cluster, 'w1'), heldCpu(cluster, 'w2')]).toEqual([100, 0]);
  });

  it('told twice keeps its first place in the stream, so that a snapshot of it and what follows agree with the whole history', () => {
    const history = new History();
    const told = [history.assigned('t', 'w1'), history.assigned('t', 'w2'), history.assigned('t', 'w1')];
    const live = newCluster();
    apply(live, history.submitted('t'));
    for (const one of told) live.board.applyAssignCommit(one);
    expect(live.board.get('t')!.assignment).toMatchObject({ workerId: 'w1', sequence: told[0]!.streamSequence });
    // A board that begins with this entry reads the tail again.
    for (const one of told.slice(1)) live.board.applyAssignCommit(one);
    expect(live.board.get('t')!.assignment).toMatchObject({ workerId: 'w1', sequence: told[0]!.streamSequence });
  });

  it('cancelled while its assignment is on its way is revoked once it is stored, and only once', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 10);
    apply(cluster, history.submitted('t'));
    cluster.decide(10, 10);
    apply(cluster, history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 5, at: 11 } }));
    expect(cluster.board.recalls.takeRevocations()).toEqual([]);
    cluster.board.applyAssignCommit(history.assigned('t', 'w'));
    const revocation = { workerId: 'w', taskId: 't', attempt: 1, graceMs: 5, reason: 'cancelled' };
    expect(cluster.board.recalls.takeRevocations()).toEqual([revocation]);
    expect(cluster.board.recalls.takeRevocations()).toEqual([]);
    cluster.board.recalls.retryRevocation({ ...revocation, reason: 'cancelled' });
    expect(cluster.board.recalls.takeRevocations()).toEqual([revocation]);
  });

  it('that waits is never placed after its cancellation was asked for', () => {
    const history = new History();
    const cluster = newCluster();
    apply(cluster, history.submitted('t'));
    apply(cluster, history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 5, at: 11 } }));
    beat(cluster, 'w', 1, 10);
    expect(cluster.decide(10, 10)).toEqual([]);
  });
});

describe('leases', () => {
  it('end after the lease, with the tasks of the worker, once; the worker can come back', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 1_000);
    apply(cluster, history.submitted('t'));
    cluster.decide(1_000, 10);
    cluster.board.applyAssignCommit(history.assigned('t', 'w'));
    expect(cluster.findLosses(62_000)).toEqual([]);
    const [loss] = cluster.findLosses(62_001);
    expect(loss).toMatchObject({
      kind: 'worker',
      workerId: 'w',
      lastHeartbeatAt: 1_000,
      tasks: [{ taskId: 't', attempt: 1 }],
    });
    cluster.markReported(loss!, 62_001);
    expect(cluster.findLosses(62_002)).toEqual([]);
    // If nothing came of it, it is said again.
    expect(cluster.findLosses(92_001)).toMatchObject([{ kind: 'assignments', tasks: [{ taskId: 't' }] }]);
    apply(cluster, history.requeued('t', 1));
    expect(cluster.decide(92_002, 10)).toEqual([]);
    beat(cluster, 'w', 2, 93_000);
    expect(cluster.decide(93_000, 10)).toMatchObject([{ taskId: 't', attempt: 2 }]);
  });

  it('matter for new work before they end: who has fallen silent gets none, within a tenth of a second', () => {
    const history = new History();
    const cluster = newCluster();
    beat(cluster, 'w', 1, 1_000);
    expect(cluster.decide(13_450, 10)).toEqual([]);
    apply(cluster, history.submitted('t'));
    expect(cluster.decide(13_550, 10)).toEqual([]);
    beat(cluster, 'w', 2, 13_560);
    expect(cluster.decide(13_560, 10)).toMatchObject([{ taskId: 't', workerId: 'w' }]);
  });

  it('do not end while nobody could be heard, and count from the return of the broker', () => {
    const cluster = newCluster();
    beat(cluster, 'w', 1, 1_000);
    cluster.fleet.stopListening();
    expect(cluster.findLosses(500_000)).toEqual([]);
    cluster.fleet.listen(500_000);
    expect(cluster.findLosses(561_000)).toEqual([]);
    expect(cluster.findLosses(561_001)).toHaveLength(1);
  });

  it('of workers that nobody ever heard of end too, if they hold tasks', () => {
    const history = new History();
    const cluster = newCluster();
    apply(cluster, history.submitted('t'));
    apply(cluster, history.recorded('t', 'ghost'));
    expect(cluster.findLosses(61_000)).toEqual([]);
    expect(cluster.findLosses(61_001)).toMatchObject([
      { kind: 'worker', workerId: 'ghost', tasks: [{ taskId: 't', attempt: 1 }] },
    ]);
  });

  it('that were over before the start are not announced again, and their workers get nothing', () => {
    const history = new History();
    const cluster = newCluster();
    cluster.observeHeartbeat(heartbeat('old'), 1_000, 900_000);
    cluster.observeHeartbeat(heartbeat('gone', { leaving: true }), 1_000, 900_000);
    cluster.fleet.listen(900_000);
    apply(cluster, history.submitted('t'));
    expect(cluster.decide(900_000, 10)).toEqual([]);
    expect(cluster.findLosses(990_000)).toEqual([]);
    expect(cluster.fleet.list(900_000).map(({ workerId, status }) => [workerId, status])).toEqual([['old', 'lost']]);
  });

  it('status follows heartbeats, host memory and farewells', () => {
    const cluster = newCluster();
    const status = (now: number) => cluster.fleet.status('w', now);
    beat(cluster, 'w', 1, 1_000);
    expect([status(13_500), status(13_501), status(62_001)]).toEqual(['active', 'inactive', 'lost']);
    const usage = { cpuPercent: 100, memoryUsedMb: 980, memoryTotalMb: 1_000, storageUsedMb: 1, load1: 9 };
    beat(cluster, 'w', 2, 70_000, { usage });
    expect(status(70_000)).toBe('overloaded');
    beat(cluster, 'w', 3, 70_000, { usage: { ...usage, memoryUsedMb: 900 } });
    expect(status(70_000)).toBe('active');
    beat(cluster, 'w', 4, 70_000, { leaving: true });
    expect(status(70_000)).toBe('leaving');
    cluster.findLosses(200_000).forEach((loss) => cluster.markReported(loss, 200_000));
    cluster.findLosses(200_001);
    expect(cluster.fleet.list(200_001)).toEqual([]);
  });
});

describe('tasks whose ends have left TASKS unread', () => {
  it('are closed, in whatever state they were: nothing of them waits or is placed, and a worker that may have one is told so', () => {
    const history = new History();
    const states = ['cold', 'warm', 'delayed', 'placed'] as const;
    const earlier = newCluster();
    const submissions = new Map<string, number>();
    const submit = (cluster: Cluster, taskId: string): void => {
      const submitted = history.submitted(taskId);
      submissions.set(taskId, submitted.streamSequence);
      apply(cluster, submitted);
    };
    const both = (state: string): string[] => [`${state} ended`, `${state} open`];
    for (const taskId of both('cold')) submit(earlier, taskId);
    const { entries, rest } = earlier.board.snapshot();
    const cluster = newCluster();
    for (const page of pagesOf(entries)) cluster.board.restore(page);
    cluster.board.endRestore(rest(), 10);
    for (const state of ['warm', 'delayed', 'placed']) for (const taskId of both(state)) submit(cluster, taskId);
    for (const taskId of both('placed')) cluster.board.applyAssignCommit(history.assigned(taskId, 'w'));
    for (const taskId of both('delayed')) apply(cluster, history.requeued(taskId, 1, 50));

    const ended = new Set(states.map((state) => submissions.get(`${state} ended`)));
    expect(cluster.board.closeRemoved((sequence) => ended.has(sequence))).toBe(4);
    expect(cluster.board.closeRemoved((sequence) => ended.has(sequence))).toBe(0);

    const told = cluster.board.recalls.takeRevocations();
    expect(told).toMatchObject([{ taskId: 'placed ended', workerId: 'w', attempt: 1, reason: 'superseded' }]);
    beat(cluster, 'x', 1, 10);
    const placed = [...cluster.decide(10, 100), ...cluster.decide(60, 100)].map(({ taskId }) => taskId);
    expect(placed).toEqual(['cold open', 'warm open']);
    beat(cluster, 'y', 1, 60);
    expect(cluster.decide(60, 100).map(({ taskId }) => taskId)).toEqual(['delayed open']);
    for (const state of ['cold', 'warm', 'delayed']) expect(cluster.board.get(`${state} ended`)).toBeUndefined();
    expect(cluster.board.get('placed open')).toMatchObject({ closed: false });
  });
});
