import { timing } from '@gantry/contracts/messaging/timing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { History, newCluster, testTiming } from '../../testing/histories.js';
import { heartbeat } from '../../testing/samples.js';
import type { Cluster } from './cluster.js';

/** On worker `w`, whose newest heartbeat came at 1,000. */
function holding(...leases: (number | undefined)[]): { cluster: Cluster; history: History } {
  const history = new History();
  const cluster = newCluster();
  cluster.fleet.listen(0);
  cluster.observeHeartbeat(heartbeat('w'), 1_000, 1_000);
  leases.forEach((leaseSeconds, index) => {
    const id = `t${index}`;
    cluster.board.applyTaskCommit(history.submitted(id, leaseSeconds === undefined ? {} : { leaseSeconds }), 1_000);
    cluster.board.applyTaskCommit(
      history.recorded(id, 'w', 1, leaseSeconds === undefined ? undefined : leaseSeconds * 1_000),
      1_000,
    );
  });
  return { cluster, history };
}

const lost = (cluster: Cluster, now: number) =>
  cluster.findLosses(now).flatMap((loss) => {
    cluster.markReported(loss, now);
    return loss.tasks.map(({ taskId }) => taskId);
  });

describe('tasks of different leases on one worker', () => {
  let cluster: Cluster;
  let history: History;
  beforeEach(() => {
    ({ cluster, history } = holding(15, undefined, 3_600));
  });

  it('are lost each after its own, the worker after the lease of the pool', () => {
    expect(lost(cluster, 17_000)).toEqual([]);
    expect(lost(cluster, 17_001)).toEqual(['t0']);
    expect(cluster.fleet.status('w', 17_001)).toBe('inactive');
    expect(lost(cluster, 62_000)).toEqual(['t0']);
    expect(cluster.findLosses(62_001)).toMatchObject([{ kind: 'worker', tasks: [{ taskId: 't1' }] }]);
    expect(lost(cluster, 62_001)).toEqual(['t1']);
    expect(lost(cluster, 3_602_000)).not.toContain('t2');
    expect(lost(cluster, 3_602_001)).toContain('t2');
  });

  it('keep the lease that the agent was promised when the pool has a shorter one now', () => {
    const id = 'promised';
    cluster.board.applyTaskCommit(history.submitted(id), 1_000);
    cluster.board.applyTaskCommit(history.recorded(id, 'w', 1, 120_000), 1_000);
    expect(lost(cluster, 122_000)).not.toContain(id);
    expect(lost(cluster, 122_001)).toContain(id);
  });

  it('are kept when the worker is back in time: same attempt, same room', () => {
    lost(cluster, 17_001);
    lost(cluster, 62_001);
    const running = [{ taskId: 't2', attempt: 1, phase: 'running' as const }];
    const back = { sequence: 2, running, assignSequence: 0 };
    const { strays } = cluster.observeHeartbeat(heartbeat('w', back), 3_000_000, 3_000_000);
    expect(strays).toEqual([]);
    expect(cluster.board.get('t2')?.assignment).toMatchObject({ attempt: 1, workerId: 'w' });
    expect(lost(cluster, 3_000_001)).toEqual([]);
  });

  it('that were given away run under the same lease again, which travels beside the spec', () => {
    lost(cluster, 17_001);
    cluster.board.applyTaskCommit(history.requeued('t0', 1), 17_002);
    cluster.observeHeartbeat(heartbeat('other'), 17_002, 17_002);
    const [assigned] = cluster.decide(17_002, 10);
    expect(assigned).toMatchObject({ taskId: 't0', attempt: 2, workerId: 'other', leaseMs: 15_000 });
    expect(assigned?.spec).not.toHaveProperty('leaseSeconds');
  });

  it('are not announced when a heartbeat came that had not been read yet', () => {
    const [loss] = cluster.findLosses(17_001);
    expect(cluster.isStillLost(loss!, 17_001)).toBe(true);
    cluster.observeHeartbeat(heartbeat('w', { sequence: 2 }), 17_001, 17_001);
    expect(cluster.isStillLost(loss!, 17_001)).toBe(false);
  });
});

it('no task is lost before its own lease, and each is soon after it, whatever else the worker holds', () => {
  const lease = fc.option(fc.integer({ min: timing.shortestLeaseMs / 1_000, max: 86_400 }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.array(lease, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 100, max: 30_000_000 }), { minLength: 1, maxLength: 8 }),
      (leases, pauses) => {
        const { cluster } = holding(...leases);
        let now = 1_000;
        for (const pause of pauses) {
          now += pause;
          const due = leases.flatMap((leaseSeconds, index) => {
            const leaseMs = leaseSeconds === undefined ? testTiming.leaseMs : leaseSeconds * 1_000;
            return now - 1_000 > testTiming.lossAfterMs(leaseMs) ? [`t${index}`] : [];
          });
          // Not marked as reported: all that are due are named at every look.
          const found = cluster.findLosses(now).flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId));
          expect(found.sort()).toEqual(due.sort());
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
