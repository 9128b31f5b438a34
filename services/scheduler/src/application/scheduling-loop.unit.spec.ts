import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { AssignEvent, SchedEvent } from '@gantry/contracts/scheduling/assign-events';
import { ConcurrencyError } from '@gantry/event-sourcing/event-store.port';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { ManualClock } from '@gantry/kernel/clock';
import { SequentialIds } from '@gantry/kernel/ids';
import { createLogger } from '@gantry/nest-platform/logger';
import { beforeEach, describe, expect, it } from 'vitest';
import { History, newCluster } from '../testing/histories.js';
import { heartbeat } from '../testing/samples.js';
import type { StoredHeartbeats, Timers } from './scheduling.ports.js';
import { SchedulingLoop } from './scheduling-loop.js';

/** Time passes when the test says so: `run` calls back what was asked for until now. */
class FakeTimers implements Timers {
  private waiting: (() => void)[] = [];

  after(_milliseconds: number, callback: () => void): () => void {
    this.waiting.push(callback);
    return () => {
      this.waiting = this.waiting.filter((one) => one !== callback);
    };
  }

  soon(callback: () => void): void {
    this.waiting.push(callback);
  }

  run(): void {
    for (const callback of this.waiting.splice(0)) callback();
  }
}

class BrokerHeartbeats implements StoredHeartbeats {
  readonly stored = new Map<string, Heartbeat>();
  asked = 0;

  async workerIds(): Promise<string[]> {
    return [...this.stored.keys()];
  }

  async newest(workerId: string): Promise<Heartbeat | undefined> {
    this.asked += 1;
    return this.stored.get(workerId);
  }
}

/** Something happens while an append is on its way. */
class BusyStore extends InMemoryEventStore<AssignEvent> {
  meanwhile: () => void = () => undefined;
  /** An append goes on when this is resolved, and fails with what it is rejected with. */
  onItsWay: Promise<void> | undefined;

  override async append(...of: Parameters<InMemoryEventStore<AssignEvent>['append']>) {
    this.meanwhile();
    await this.onItsWay;
    return super.append(...of);
  }
}

describe('scheduling loop', () => {
  let clock: ManualClock;
  let elapsed: number;
  let held: boolean;
  let timers: FakeTimers;
  let broker: BrokerHeartbeats;
  let sched: InMemoryEventStore<SchedEvent>;
  let assign: BusyStore;
  let loop: SchedulingLoop;

  const pass = (milliseconds: number) => {
    clock.advance(milliseconds);
    elapsed += milliseconds;
  };
  /** A sweep, and all that it starts. */
  const sweep = async () => {
    timers.run();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const beat = (sequence: number) => heartbeat('w', { sequence });
  const events = () => sched.all.flatMap(({ commit }) => commit.events.map(({ type }) => type));

  beforeEach(async () => {
    clock = new ManualClock();
    elapsed = 0;
    held = true;
    timers = new FakeTimers();
    broker = new BrokerHeartbeats();
    sched = new InMemoryEventStore();
    assign = new BusyStore();
    loop = new SchedulingLoop({
      cluster: newCluster(),
      assignStore: assign,
      schedStore: sched,
      pendingReports: { has: async () => false },
      storedHeartbeats: broker,
      clock,
      monotonic: () => elapsed,
      ids: new SequentialIds(),
      timers,
      logger: createLogger('test', { level: 'silent', format: 'json' }),
      sweepMs: 1_000,
    });
    loop.onConnected();
    await loop.lead(1, 'test', () => held);
    broker.stored.set('w', beat(1));
    loop.onHeartbeat(beat(1), clock.now());
    await sweep();
    expect(events()).toEqual(['WorkerJoined']);
  });

  it('a leader also fences who joins while it takes over', async () => {
    loop.follow();
    assign.meanwhile = () => loop.onHeartbeat(heartbeat('late'), clock.now());
    await loop.lead(2, 'test', () => held);
    await new Promise((resolve) => setImmediate(resolve));
    const epochs = assign.all.flatMap(({ commit }) =>
      commit.events.map((event) => (event.type === 'EpochStarted' ? [commit.aggregateId, event.data.epoch] : [])),
    );
    expect(epochs).toContainEqual(['late', 2]);
  });

  it('decides nothing while a stream is read again from its start, and goes on at its end', async () => {
    const history = new History();
    loop.onStartOver('TASKS');
    loop.onTaskCommit(history.submitted('over'));
    loop.onTaskCommit(history.submitted('waits'));
    await sweep();
    expect(loop.decisionCount).toBe(0);
    loop.onTaskCommit(history.task('over', { type: 'TaskCancelled', data: { attempt: 1, finishedAt: 1 } }));
    loop.onComplete('TASKS');
    await sweep();
    expect(loop.decisionCount).toBe(1);
  });

  it('decides nothing between a gap and the word which tasks have ended in it', async () => {
    const history = new History();
    const ended = history.submitted('ended');
    loop.onTaskCommit(ended);
    loop.onTaskCommit(history.submitted('waits'));
    loop.onGap();
    await sweep();
    expect(loop.decisionCount).toBe(0);
    loop.closeRemoved((sequence) => sequence === ended.streamSequence);
    await sweep();
    expect(loop.decisionCount).toBe(0);
    loop.onGapRepaired();
    await sweep();
    expect(assign.all.flatMap(({ commit }) => commit.events)).toContainEqual(
      expect.objectContaining({ type: 'TaskAssigned', data: expect.objectContaining({ taskId: 'waits' }) }),
    );
    expect(loop.decisionCount).toBe(1);
  });

  describe('a cancellation while an assignment is on its way to the broker', () => {
    const history = new History();
    const told = () => assign.all.flatMap(({ commit }) => commit.events.map(({ type }) => type));
    let arrive: () => void;
    let refuse: (reason: Error) => void;

    beforeEach(async () => {
      assign.onItsWay = new Promise((resolve, reject) => {
        [arrive, refuse] = [resolve, reject];
      });
      assign.onItsWay.catch(() => undefined);
      loop.onTaskCommit(history.submitted('t'));
      await sweep();
      expect(loop.decisionCount).toBe(1);
      loop.onTaskCommit(
        history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 1, at: 1 } }),
      );
      await sweep();
      expect(told()).not.toContain('TaskAssigned');
      expect(told()).not.toContain('TaskWithdrawn');
    });

    it('takes the assignment back when it is stored, and says nothing of a task without a worker', async () => {
      arrive();
      await sweep();
      await sweep();
      expect(told().filter((type) => type !== 'EpochStarted')).toEqual(['TaskAssigned', 'AssignmentRevoked']);
    });

    it('says that there is no worker when the broker has refused the assignment', async () => {
      assign.onItsWay = undefined;
      refuse(new ConcurrencyError('assign.w', 1));
      await sweep();
      await sweep();
      expect(told().filter((type) => type !== 'EpochStarted')).toEqual(['TaskWithdrawn']);
    });
  });

  it('says again that a cancelled task has no worker as long as its end is not known, every half minute', async () => {
    const history = new History();
    const times = () => assign.all.filter(({ commit }) => commit.events.some(({ type }) => type === 'TaskWithdrawn'));
    loop.onTaskCommit(
      history.submitted('t', { resources: { cpu: 1_000, memoryMb: 64, storageMb: 0, gpu: { count: 0 } } }),
    );
    loop.onTaskCommit(
      history.task('t', { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 1, at: 1 } }),
    );
    await sweep();
    pass(29_000);
    await sweep();
    expect(times()).toHaveLength(1);
    pass(1_000);
    await sweep();
    expect(times()).toHaveLength(2);
    loop.onTaskCommit(history.task('t', { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 2 } }));
    pass(31_000);
    await sweep();
    expect(times()).toHaveLength(2);
  });

  describe('a lease of 60 s', () => {
    it('ends after its time and margin', async () => {
      pass(61_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
      pass(1);
      await sweep();
      expect(events()).toEqual(['WorkerJoined', 'WorkerLost']);
    });

    it('does not end while the broker has a heartbeat that was not read yet, and counts on from there', async () => {
      broker.stored.set('w', beat(9));
      pass(65_000);
      await sweep();
      expect(broker.asked).toBe(1);
      pass(60_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
      pass(2_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined', 'WorkerLost']);
    });

    it('does not end while the broker cannot be asked', async () => {
      broker.newest = () => Promise.reject(new Error('no broker'));
      pass(90_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
    });

    it.each([3_600_000, -3_600_000])('neither ends nor stays because the time of day is set by %i ms', async (step) => {
      pass(30_000);
      clock.advance(step);
      await sweep();
      pass(31_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
      pass(1);
      await sweep();
      expect(events()).toEqual(['WorkerJoined', 'WorkerLost']);
    });

    it('is right for a heartbeat that came between the step and the next look', async () => {
      pass(30_000);
      clock.advance(-3_600_000);
      loop.onHeartbeat(beat(2), clock.now());
      pass(60_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
      pass(1_001);
      await sweep();
      expect(events()).toEqual(['WorkerJoined', 'WorkerLost']);
    });

    it('is not ended by a process that no longer holds the leadership', async () => {
      held = false;
      pass(90_000);
      await sweep();
      expect(events()).toEqual(['WorkerJoined']);
      held = true;
      await sweep();
      expect(events()).toEqual(['WorkerJoined', 'WorkerLost']);
    });
  });
});
