import type { UserActor } from '@gantry/contracts/messaging/actor';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { subjects } from '@gantry/contracts/messaging/streams';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { CommandOrigin } from '@gantry/event-sourcing/command-handler';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { ManualClock } from '@gantry/kernel/clock';
import { SequentialIds } from '@gantry/kernel/ids';
import { describe, expect, it } from 'vitest';
import { OptimisticCreateStore } from '../adapters/out/optimistic-create.store.js';
import type { RecordAssignment, RecordReport, RequestCancel } from '../domain/task/task.commands.js';
import { TaskBoard } from '../projections/task-board/task-board.projection.js';
import { SubmitTaskHandler } from './submit-task.handler.js';
import { TaskCommandExecutor } from './task-command.executor.js';

const ada: UserActor = { kind: 'user', id: 'ada', name: 'Ada', role: 'user' };
const context: RequestContext = { actor: ada, correlationId: 'c' };
const spec = taskSpecSchema.parse({ name: 'train', image: 'busybox', retries: 1 });
const origin = (commandId: string): CommandOrigin => ({ commandId, actor: ada, correlationId: 'c', causationId: 'c' });

/** One process of the service. Without `follows` it sees nothing but its own commits, as in the moment before an echo. */
function replica(store: InMemoryEventStore<TaskEvent>, options: { follows?: boolean; endedKept?: number } = {}) {
  const board = new TaskBoard(options);
  const clock = new ManualClock();
  const optimistic = new OptimisticCreateStore(store);
  const executor = new TaskCommandExecutor(store, board, clock, optimistic);
  const submit = new SubmitTaskHandler(executor, optimistic, new SequentialIds(), clock);
  const stop = new AbortController();
  if (options.follows === true) {
    void store.follow({ fromSequence: 1, onCommit: (stored) => executor.absorb(stored), signal: stop.signal });
  }
  return { board, executor, submit, store: optimistic, stop: () => stop.abort() };
}

const assignment: RecordAssignment = {
  type: 'RecordAssignment',
  attempt: 1,
  workerId: 'w1',
  workerName: 'w1',
  leaseMs: 1,
  gpuIds: [],
  assignedAt: 1,
};
const success: RecordReport = {
  type: 'RecordReport',
  workerId: 'w1',
  attempt: 1,
  at: 2,
  now: 2,
  jitter: 0,
  report: { type: 'exited', outcome: 'exited', exitCode: 0, message: '', finishedAt: 2 },
};
const cancel: RequestCancel = { type: 'RequestCancel', requestedBy: 'Ada', graceMs: 1, at: 3 };
const typesIn = (store: InMemoryEventStore<TaskEvent>) =>
  store.all.flatMap(({ commit }) => commit.events.map(({ type }) => type));

describe('task commands', () => {
  it('of a repeated submission leave nothing behind that hides the task from who loads it next', async () => {
    const { submit, executor, board, store } = replica(new InMemoryEventStore(), { endedKept: 0 });
    const { task } = await submit.handle({ spec, idempotencyKey: 'k' }, context);
    await executor.execute(task.id, assignment, origin('a'));
    await executor.execute(task.id, success, origin('b'));
    expect(board.get(task.id)).toBeUndefined();
    expect((await submit.handle({ spec, idempotencyKey: 'k' }, context)).duplicate).toBe(true);
    expect(await store.load(subjects.task(task.id))).not.toEqual([]);
  });

  it('show on the board at once', async () => {
    const { board, submit, executor } = replica(new InMemoryEventStore());
    const { task } = await submit.handle({ spec }, context);
    expect(board.get(task.id)).toEqual(task);
    await executor.execute(task.id, assignment, origin('a'));
    expect(board.get(task.id)).toMatchObject({ status: 'assigned', workerId: 'w1' });
  });

  it('find the task of a key that neither board nor cache holds', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const first = await replica(store).submit.handle({ spec, idempotencyKey: 'k' }, context);
    const other = replica(store);
    const again = await other.submit.handle({ spec, idempotencyKey: 'k' }, context);
    expect(again).toMatchObject({ duplicate: true, task: { id: first.task.id } });
    const different = { ...spec, name: 'other' };
    await expect(other.submit.handle({ spec: different, idempotencyKey: 'k' }, context)).rejects.toMatchObject({
      code: 'TASK.IDEMPOTENCY_CONFLICT',
    });
    expect(typesIn(store)).toEqual(['TaskSubmitted']);
  });

  it('of two replicas that know nothing of each other make one history', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const [left, right] = [replica(store), replica(store)];
    const { task } = await left.submit.handle({ spec }, context);
    await right.executor.state(task.id);
    await left.executor.execute(task.id, assignment, origin('a'));
    // `right` still believes that the task waits: the fence makes it decide again.
    await right.executor.execute(task.id, cancel, origin('b'));
    expect(typesIn(store)).toEqual(['TaskSubmitted', 'TaskAssigned', 'TaskCancelRequested']);
    await Promise.allSettled([
      left.executor.execute(task.id, success, origin('c')),
      right.executor.execute(
        task.id,
        { ...success, report: { ...success.report, outcome: 'cancelled' } as never },
        origin('d'),
      ),
    ]);
    const ends = typesIn(store).filter((type) => type === 'TaskSucceeded' || type === 'TaskCancelled');
    expect(ends).toHaveLength(1);
    expect((await left.executor.history(task.id)).map(({ commit }) => commit.version)).toEqual([1, 2, 3, 4]);
  });

  it('record the assignment of an attempt that another replica has just queued', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const [left, right] = [replica(store), replica(store)];
    const { task } = await left.submit.handle({ spec }, context);
    await right.executor.execute(task.id, assignment, origin('a'));
    const rejected: RecordReport = { ...success, report: { type: 'rejected', message: 'no room' } };
    await left.executor.execute(task.id, rejected, origin('b'));
    // `right` still believes that attempt 1 runs, for which the next assignment would be none of its business.
    await right.executor.execute(task.id, { ...assignment, attempt: 2 }, origin('c'));
    expect(typesIn(store)).toEqual(['TaskSubmitted', 'TaskAssigned', 'TaskRequeued', 'TaskAssigned']);
  });

  it('answer with their own effect and keep the board whole, also on top of a commit that the stream has still to deliver', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const [left, right] = [replica(store), replica(store)];
    const { task } = await left.submit.handle({ spec }, context);
    const deliver = (from: number) => {
      for (const stored of store.all.slice(from))
        if (!right.executor.isEcho(stored.streamSequence)) right.executor.absorb(stored);
    };
    deliver(0);
    await left.executor.execute(task.id, assignment, origin('a'));
    const executed = await right.executor.execute(task.id, cancel, origin('b'));
    expect(await right.executor.viewAfter(task.id, executed)).toMatchObject({
      status: 'assigned',
      version: 3,
    });
    expect(right.board.get(task.id)?.status).toBe('queued');
    deliver(1);
    expect(right.board.get(task.id)).toMatchObject({ status: 'assigned', version: 3 });
  });

  it('hold a report until another replica’s assignment arrives through the stream', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const left = replica(store);
    const right = replica(store, { follows: true });
    const { task } = await left.submit.handle({ spec }, context);
    await expect.poll(() => right.board.get(task.id)?.status).toBe('queued');
    const held = right.executor.executeReport(task.id, success, origin('r'));
    await left.executor.execute(task.id, assignment, origin('a'));
    expect((await held).state.status).toBe('succeeded');
    right.stop();
  });

  it('record an assignment together with the first report about it, whichever of them comes first', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const { submit, executor, board } = replica(store);
    for (const reportFirst of [false, true]) {
      const { task } = await submit.handle({ spec }, context);
      const assign = () => executor.executeAssignment(task.id, assignment, origin(`a${task.id}`));
      const report = () => executor.executeReport(task.id, success, origin(`r${task.id}`));
      await Promise.all(reportFirst ? [report(), assign()] : [assign(), report()]);
      const history = await executor.history(task.id);
      expect(history.map(({ commit }) => commit.events.map(({ type }) => type))).toEqual([
        ['TaskSubmitted'],
        ['TaskAssigned', 'TaskSucceeded'],
      ]);
      expect(board.get(task.id)).toMatchObject({ status: 'succeeded', workerId: 'w1', version: 2 });
    }
  });

  it('record an assignment by itself when no report comes for a moment, and at once for who needs it', async () => {
    const { submit, executor, board } = replica(new InMemoryEventStore());
    const { task: waiting } = await submit.handle({ spec }, context);
    const { task: lost } = await submit.handle({ spec }, context);
    const recorded = executor.executeAssignment(waiting.id, assignment, origin('a1'));
    void executor.executeAssignment(lost.id, assignment, origin('a2'));
    const loss = { type: 'RecordAttemptLost', attempt: 1, workerId: 'w1', message: 'gone', now: 5, jitter: 0 } as const;
    await executor.afterAssignment(lost.id, 1, () => executor.execute(lost.id, loss, origin('l')));
    expect(board.get(lost.id)).toMatchObject({ status: 'queued', attempt: 2 });
    expect(board.get(waiting.id)?.status).toBe('queued');
    await recorded;
    expect(board.get(waiting.id)?.status).toBe('assigned');
  });

  it('record only the report if another replica was faster with the assignment', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const [left, right] = [replica(store), replica(store)];
    const { task } = await left.submit.handle({ spec }, context);
    for (const stored of store.all) right.executor.absorb(stored);
    const held = right.executor.executeAssignment(task.id, assignment, origin('a'));
    await left.executor.execute(task.id, assignment, origin('a'));
    await right.executor.executeReport(task.id, success, origin('r'));
    await held;
    expect(typesIn(store)).toEqual(['TaskSubmitted', 'TaskAssigned', 'TaskSucceeded']);
  });

  it('give a report up for the moment when no assignment comes', { timeout: 10_000 }, async () => {
    const { submit, executor } = replica(new InMemoryEventStore());
    const { task } = await submit.handle({ spec }, context);
    await expect(executor.executeReport(task.id, success, origin('r'))).rejects.toMatchObject({
      code: 'TASK.ASSIGNMENT_NOT_SEEN',
      retryable: true,
    });
  });

  it('answer a task that the board has let go from the stream', async () => {
    const store = new InMemoryEventStore<TaskEvent>();
    const { task } = await replica(store).submit.handle({ spec }, context);
    expect(await replica(store).executor.view(task.id)).toEqual(task);
    expect(await replica(store).executor.view('nobody')).toBeUndefined();
  });
});
