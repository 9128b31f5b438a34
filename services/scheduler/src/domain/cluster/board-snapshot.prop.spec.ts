import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { unpackSpec } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { pagesOf } from '@gantry/event-sourcing/testing/pages-of';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { History, newCluster } from '../../testing/histories.js';
import { heartbeat, workerSpec } from '../../testing/samples.js';
import type { Cluster } from './cluster.js';

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('submit' as const), priority: fc.integer({ min: 0, max: 2 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...([
          'end',
          'requeue',
          'delay',
          'requestCancel',
          'cancel',
          'record',
          'usurp',
          'recordElsewhere',
          'revoke',
          'ahead',
        ] as const),
      ),
      pick: fc.nat(100),
      worker: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      outcome: fc.constantFrom('stored' as const, 'refused' as const, 'late' as const),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Input = { task: StoredCommit<TaskEvent>; now: number } | { assign: StoredCommit<AssignEvent> };

/** A scheduler at work, and what the streams show of it. */
class Life {
  readonly cluster = newCluster();
  readonly inputs: Input[] = [];
  now = 0;
  private readonly history = new History();
  private readonly open: string[] = [];
  private count = 0;
  /** Decided, and still on the way to the broker. */
  private late: AssignEventData<'TaskAssigned'>[] = [];

  constructor() {
    for (const worker of ['w0', 'w1', 'w2']) {
      const spec = workerSpec({ name: worker, capacity: { cpu: 3, memoryMb: 4_096, storageMb: 10_000 } });
      this.cluster.observeHeartbeat(heartbeat(worker, { spec }), 0, 0);
    }
  }

  take(one: Step): void {
    this.now += 100;
    if (one.kind === 'submit') return this.submit(one.priority);
    if (one.kind === 'decide') return this.decide(one.outcome);
    const taskId = this.open[one.pick % Math.max(1, this.open.length)];
    const entry = taskId === undefined ? undefined : this.cluster.board.get(taskId);
    if (taskId === undefined || entry === undefined || entry.closed) return;
    const { attempt, assignment } = entry;
    // Other services know nothing of an assignment that is not stored; that case has a test of its own.
    if (assignment !== undefined && assignment.sequence === undefined && one.kind !== 'requestCancel') return;
    const { history, now } = this;
    const elsewhere = `w${one.worker}`;
    switch (one.kind) {
      case 'end':
        this.open.splice(this.open.indexOf(taskId), 1);
        return this.put(
          history.task(taskId, { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: now } }),
        );
      case 'cancel':
        this.open.splice(this.open.indexOf(taskId), 1);
        return this.put(history.task(taskId, { type: 'TaskCancelled', data: { attempt, finishedAt: now } }));
      case 'requestCancel':
        return this.put(
          history.task(taskId, { type: 'TaskCancelRequested', data: { requestedBy: 'u', graceMs: 5, at: now } }),
        );
      case 'requeue':
        return this.put(history.requeued(taskId, attempt));
      case 'delay':
        return this.put(history.requeued(taskId, attempt, now + 250));
      case 'record':
        return assignment === undefined
          ? undefined
          : this.put(history.recorded(taskId, assignment.workerId, assignment.attempt));
      case 'recordElsewhere':
        return this.put(history.recorded(taskId, elsewhere, attempt));
      case 'usurp':
        return this.put(history.assigned(taskId, elsewhere, attempt));
      case 'ahead':
        // ASSIGN may be read before the requeueing in TASKS that led to it.
        return this.put(history.assigned(taskId, elsewhere, attempt + 1));
      case 'revoke':
        return assignment === undefined
          ? undefined
          : this.put(
              history.assign(assignment.workerId, {
                type: 'AssignmentRevoked',
                data: { taskId, attempt, graceMs: 1, reason: 'cancelled', revokedAt: now },
              }),
            );
    }
  }

  private submit(priority: number): void {
    this.count += 1;
    const taskId = `t${this.count}`;
    this.open.push(taskId);
    this.put(this.history.submitted(taskId, { priority }));
  }

  private decide(outcome: 'stored' | 'refused' | 'late'): void {
    for (const data of this.late.splice(0)) this.store(data);
    for (const data of this.cluster.decide(this.now, 2)) {
      if (outcome === 'refused') this.cluster.board.refuse(data.taskId, data.attempt);
      else if (outcome === 'late') this.late.push(data);
      else this.store(data);
    }
  }

  private store(data: AssignEventData<'TaskAssigned'>): void {
    this.put(this.history.assign(data.workerId, { type: 'TaskAssigned', data }));
  }

  private put(stored: StoredCommit<TaskEvent> | StoredCommit<AssignEvent>): void {
    const input = (stored.commit.stream === 'TASKS' ? { task: stored, now: this.now } : { assign: stored }) as Input;
    this.inputs.push(input);
    feed(this.cluster, input);
  }
}

function feed(cluster: Cluster, input: Input): void {
  if ('task' in input) cluster.board.applyTaskCommit(input.task, input.now);
  else cluster.board.applyAssignCommit(input.assign);
}

/** Everything that decides what happens next, in a form that can be compared. */
function picture(cluster: Cluster, taskIds: readonly string[]) {
  cluster.board.refuseUnstored();
  const entries = taskIds.map((taskId) => {
    const entry = cluster.board.get(taskId);
    if (entry === undefined) return [taskId];
    const { missed: _missed, lossReportedAt: _loss, ...assignment } = entry.assignment ?? {};
    const reservation = cluster.engine.ledger.of(taskId);
    return [
      taskId,
      { ...entry, spec: unpackSpec(entry.spec), assignment },
      reservation,
      entry.waiting === undefined ? undefined : cluster.engine.waiting.position(entry.waiting),
    ];
  });
  const revocations = cluster.board.recalls.takeRevocations().map((one) => JSON.stringify(one));
  return {
    entries,
    waiting: cluster.engine.waiting.list(1_000),
    due: cluster.board.nextDueAt(),
    revocations: new Set(revocations),
  };
}

/** Of one task in a picture, for what two of them may differ in. */
function assignmentIn(pictured: ReturnType<typeof picture>['entries'][number] | undefined) {
  const entry = pictured?.[1];
  if (typeof entry !== 'object' || !('assignment' in entry)) return undefined;
  return entry.assignment as { sequence?: number; recorded?: boolean };
}

/** An assignment that TASKS chose against the order of ASSIGN has no sequence (0); the tail may tell it to the restored board. */
function forgiveChosen(known: Pick<ReturnType<typeof picture>, 'entries'>, found: typeof known): void {
  for (const [index, entry] of known.entries.entries()) {
    const [chosen, told] = [entry, found.entries[index]].map((one) => assignmentIn(one));
    if (chosen?.sequence === 0 && chosen.recorded === true && told !== undefined) told.sequence = 0;
  }
}

/** A new cluster with what a snapshot of this one holds; `between`: after each entry. */
function takenOut(cluster: Cluster, now: number, between: () => void = () => undefined): Cluster {
  const { rest, entries } = cluster.board.snapshot();
  const stored: SnapshotEntry[] = [];
  for (const entry of entries) {
    stored.push(entry);
    between();
  }
  const restored = newCluster();
  for (const page of pagesOf(stored)) restored.board.restore(page);
  restored.board.endRestore(throughJson(rest()), now);
  return restored;
}

const taskIdsIn = (life: Life): string[] => [
  ...new Set(life.inputs.flatMap((input) => ('task' in input ? [input.task.commit.aggregateId] : []))),
];
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

it('snapshot and tail give what the whole history gives, wherever the snapshot is taken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat(60), (steps, cut) => {
      const life = new Life();
      for (const one of steps.slice(0, cut)) life.take(one);
      const seen = life.inputs.length;
      const restored = takenOut(life.cluster, life.now);
      for (const one of steps.slice(cut)) life.take(one);
      for (const input of life.inputs.slice(seen)) feed(restored, input);
      for (const cluster of [life.cluster, restored]) cluster.board.releaseDue(life.now);
      const ids = taskIdsIn(life);
      expect(picture(restored, ids)).toEqual(picture(life.cluster, ids));
    }),
    { numRuns: 200 },
  );
});

it('stays right when the entries are written one by one while the history goes on', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.nat(40),
      fc.integer({ min: 1, max: 4 }),
      (steps, cut, pace) => {
        const life = new Life();
        for (const one of steps.slice(0, cut)) life.take(one);
        const seen = life.inputs.length;
        let next = cut;
        const restored = takenOut(life.cluster, life.now, () => {
          for (const one of steps.slice(next, next + pace)) life.take(one);
          next += pace;
        });
        for (const one of steps.slice(next)) life.take(one);
        for (const input of life.inputs.slice(seen)) feed(restored, input);
        for (const cluster of [life.cluster, restored]) cluster.board.releaseDue(life.now);
        const ids = taskIdsIn(life);
        const { revocations: expected, ...known } = picture(life.cluster, ids);
        const { revocations, ...found } = picture(restored, ids);
        forgiveChosen(known, found);
        expect(found).toEqual(known);
        // One may be sent twice, which is harmless; none may be missing.
        for (const one of expected) expect(revocations).toContain(one);
      },
    ),
    { numRuns: 200 },
  );
});

it('of a board that was itself taken out of a snapshot tells the same, though its entries leave their pages meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.nat(60),
      fc.nat(20),
      fc.integer({ min: 1, max: 4 }),
      (steps, cut, further, pace) => {
        const life = new Life();
        for (const one of steps.slice(0, cut)) life.take(one);
        const first = takenOut(life.cluster, life.now);
        let seen = life.inputs.length;
        const follow = (cluster: Cluster): void => {
          for (const input of life.inputs.slice(seen)) feed(cluster, input);
          seen = life.inputs.length;
        };
        for (const one of steps.slice(cut, cut + further)) life.take(one);
        follow(first);
        const secondFrom = seen;
        let next = cut + further;
        const second = takenOut(first, life.now, () => {
          const at = Math.min(steps.length, next);
          next = at + pace;
          for (const one of steps.slice(at, next)) life.take(one);
          follow(first);
        });
        for (const one of steps.slice(next)) life.take(one);
        seen = secondFrom;
        follow(second);
        for (const cluster of [life.cluster, second]) cluster.board.releaseDue(life.now);
        const ids = taskIdsIn(life);
        const { revocations: expected, ...known } = picture(life.cluster, ids);
        const { revocations, ...found } = picture(second, ids);
        forgiveChosen(known, found);
        expect(found).toEqual(known);
        for (const one of expected) expect(revocations).toContain(one);
      },
    ),
    { numRuns: 200 },
  );
});
