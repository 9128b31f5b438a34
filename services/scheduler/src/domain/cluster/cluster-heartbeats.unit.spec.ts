import { describe, expect, it } from 'vitest';
import { apply, beat, History, newCluster } from '../../testing/histories.js';

/** Task `t` has its first attempt on worker `w`, which has sent one heartbeat. */
function assigned() {
  const history = new History();
  const cluster = newCluster();
  beat(cluster, 'w', 1, 10);
  apply(cluster, history.submitted('t'));
  cluster.decide(10, 10);
  const stored = history.assigned('t', 'w');
  cluster.board.applyAssignCommit(stored);
  return { history, cluster, stored };
}

describe('heartbeats against the ledger', () => {
  it('an attempt missing from three of them is lost, if the agent had been told of it', () => {
    const { cluster, stored } = assigned();
    for (let sequence = 2; sequence < 9; sequence += 1) beat(cluster, 'w', sequence, 10);
    expect(cluster.findLosses(10)).toEqual([]);
    const assignSequence = stored.streamSequence;
    beat(cluster, 'w', 9, 10, { assignSequence });
    beat(cluster, 'w', 10, 10, { assignSequence });
    beat(cluster, 'w', 11, 10, { assignSequence, running: [{ taskId: 't', attempt: 1, phase: 'running' }] });
    beat(cluster, 'w', 12, 10, { assignSequence });
    beat(cluster, 'w', 13, 10, { assignSequence });
    expect(cluster.findLosses(10)).toEqual([]);
    beat(cluster, 'w', 14, 10, { assignSequence });
    expect(cluster.findLosses(10)).toMatchObject([
      { kind: 'assignments', workerId: 'w', tasks: [{ taskId: 't', attempt: 1 }] },
    ]);
  });

  it('who has not read its assignment for six of them is shown that there is nothing before the next thing written', () => {
    const { cluster, stored } = assigned();
    const before = { assignSequence: stored.streamSequence - 1 };
    const behind = Array.from({ length: 12 }, (_, index) => beat(cluster, 'w', index + 2, 10, before).behind);
    expect(behind.flatMap((one, index) => (one ? [index + 1] : []))).toEqual([6, 12]);
    expect(cluster.findLosses(10)).toEqual([]);
    // It read what was written to remind it, and has no assignment: that left the stream before.
    const after = { assignSequence: stored.streamSequence + 1 };
    for (let sequence = 20; sequence < 23; sequence += 1)
      expect(beat(cluster, 'w', sequence, 10, after).behind).toBe(false);
    expect(cluster.findLosses(10)).toMatchObject([{ workerId: 'w', tasks: [{ taskId: 't', attempt: 1 }] }]);
  });

  it('a revocation that an attempt goes on after for six of them is due again; one that it heeds is not', () => {
    const { cluster, history } = assigned();
    apply(cluster, history.recorded('t', 'w'));
    apply(cluster, history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 1, at: 2 } }));
    const revoked = { taskId: 't', attempt: 1, graceMs: 1, reason: 'cancelled' as const, revokedAt: 3 };
    const store = () =>
      cluster.board.applyAssignCommit(history.assign('w', { type: 'AssignmentRevoked', data: revoked }));
    expect(cluster.board.recalls.takeRevocations()).toHaveLength(1);
    store();
    const shown = (sequence: number, phase: 'running' | 'stopping') => {
      beat(cluster, 'w', sequence, 10, { running: [{ taskId: 't', attempt: 1, phase }] });
      return cluster.board.recalls.takeRevocations().length;
    };
    expect([2, 3, 4, 5, 6, 7].map((sequence) => shown(sequence, 'running'))).toEqual([0, 0, 0, 0, 0, 1]);
    store();
    expect([8, 9, 10, 11, 12].map((sequence) => shown(sequence, 'running'))).toEqual([0, 0, 0, 0, 0]);
    expect([13, 14, 15, 16, 17, 18, 19, 20].map((sequence) => shown(sequence, 'stopping'))).not.toContain(1);
  });

  it('a revocation that was on its way when the leadership ended is due again', () => {
    const { cluster, history } = assigned();
    apply(cluster, history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 1, at: 2 } }));
    expect(cluster.board.recalls.takeRevocations()).toHaveLength(1);
    expect(cluster.board.recalls.takeRevocations()).toEqual([]);
    cluster.board.refuseUnstored();
    expect(cluster.board.recalls.takeRevocations()).toHaveLength(1);
  });

  it('an attempt that is not the worker’s own is revoked; one that just ended is given a moment', () => {
    const history = new History();
    const cluster = newCluster();
    apply(cluster, history.submitted('t'));
    apply(cluster, history.recorded('t', 'other'));
    const running = [{ taskId: 't', attempt: 1, phase: 'running' as const }];
    expect(beat(cluster, 'w', 1, 10, { running }).strays).toMatchObject([{ workerId: 'w', taskId: 't', attempt: 1 }]);
    expect(beat(cluster, 'w', 2, 10, { running }).strays).toEqual([]);
    const ended = [{ taskId: 'unknown', attempt: 1, phase: 'collecting' as const }];
    expect(beat(cluster, 'v', 1, 10, { running: ended }).strays).toEqual([]);
    expect(beat(cluster, 'v', 2, 10, { running: ended }).strays).toHaveLength(1);
  });
});
