import { type EarlierReport, exitOutcomes, type ReportBody } from '@gantry/contracts/agents/report';
import type { Commit } from '@gantry/contracts/messaging/commit';
import { taskEventSchemas, type TaskEvent } from '@gantry/contracts/tasks/task-events';
import { isTerminal, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { fold } from '@gantry/event-sourcing/decider';
import { GantryError } from '@gantry/kernel/gantry-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordAssignment, TaskCommand } from './task.commands.js';
import { taskDecider } from './task.decide.js';
import { evolveTask } from './task.evolve.js';
import { spec, submitted } from './task.fixture.js';
import { initialTaskState, type TaskState } from './task.state.js';

const terminalEvents = ['TaskSucceeded', 'TaskFailed', 'TaskCancelled', 'TaskTimedOut'];

const attempt = fc.integer({ min: 1, max: 4 });
const workerId = fc.constantFrom('w1', 'w2', 'w3');
const time = fc.integer({ min: 1, max: 50 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Drops keys that are undefined: absent and undefined are the same in JSON. */
const present = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;

const reportBody: fc.Arbitrary<ReportBody> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<ReportBody>({ type: 'accepted' }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ percent: optional(fc.integer({ min: 0, max: 100 })) })
      .map((body): ReportBody => present({ type: 'pulling', ...body })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ startedAt: time })
      .map((body): ReportBody => ({ type: 'started', containerId: 'c', ...body })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ percent: fc.integer({ min: 0, max: 100 }) })
      .map((body): ReportBody => ({ type: 'progress', ...body })),
  },
  { weight: 1, arbitrary: fc.constant<ReportBody>({ type: 'rejected', message: 'no' }) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        outcome: fc.constantFrom(...exitOutcomes),
        exitCode: optional(fc.constantFrom(0, 1, 137)),
        startedAt: optional(time),
        finishedAt: time,
      })
      .map((body): ReportBody => present({ type: 'exited', message: body.outcome, ...body })),
  },
);

const startReport = fc.oneof(
  fc.constant<EarlierReport['report']>({ type: 'accepted' }),
  time.map((startedAt): EarlierReport['report'] => ({ type: 'started', containerId: 'c', startedAt })),
);

const assignment = fc.record({ attempt, workerId, assignedAt: time }).map((data): RecordAssignment => ({
  type: 'RecordAssignment',
  workerName: data.workerId,
  leaseMs: 1,
  gpuIds: [],
  ...data,
}));

const command: fc.Arbitrary<TaskCommand> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constant<TaskCommand>({
      type: 'SubmitTask',
      ownerId: 'ada',
      ownerName: 'Ada',
      spec: spec({ retries: 2 }),
      at: 1,
    }),
  },
  {
    weight: 6,
    arbitrary: assignment,
  },
  {
    weight: 10,
    arbitrary: fc
      .record({
        attempt,
        workerId,
        at: time,
        now: time,
        jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
        report: reportBody,
        earlier: optional(fc.array(fc.record({ at: time, report: startReport }), { maxLength: 3 })),
        along: optional(assignment),
      })
      .map(({ along, ...data }): TaskCommand => {
        const { attempt: ofAttempt, workerId: by } = data;
        return {
          type: 'RecordReport',
          ...data,
          assignment: along && { ...along, attempt: ofAttempt, workerId: by, workerName: by },
        };
      }),
  },
  {
    weight: 1,
    arbitrary: time.map((at): TaskCommand => ({ type: 'RequestCancel', requestedBy: 'Ada', graceMs: 1, at })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ attempt, now: time }).map((data): TaskCommand => ({ type: 'RecordWithdrawal', ...data })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ attempt, workerId, now: time })
      .map((data): TaskCommand => ({ type: 'RecordAttemptLost', message: 'lost', jitter: 0, ...data })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ attempt, workerId, id: fc.constantFrom('a', 'b') }).map((data): TaskCommand => ({
      type: 'RecordArtifact',
      workerId: data.workerId,
      artifact: {
        id: data.id,
        attempt: data.attempt,
        path: data.id,
        sizeBytes: 1,
        sha256: 'ff',
        mediaType: 'x',
        storedAt: 1,
      },
    })),
  },
  { weight: 1, arbitrary: time.map((at): TaskCommand => ({ type: 'DeleteTask', deletedBy: 'Ada', at })) },
);

/** Any order, with repetitions of earlier commands. */
const history = fc
  .array(fc.tuple(command, fc.option(fc.nat(40), { nil: undefined, freq: 3 })), { maxLength: 60 })
  .map((drawn) => {
    const commands: TaskCommand[] = [];
    for (const [fresh, repeat] of drawn) commands.push((repeat === undefined ? undefined : commands[repeat]) ?? fresh);
    return commands;
  });

interface Step {
  command: TaskCommand;
  before: TaskState;
  events: readonly TaskEvent[];
  after: TaskState;
}

function run(commands: readonly TaskCommand[]): Step[] {
  const steps: Step[] = [];
  let state: TaskState = fold(taskDecider, initialTaskState, [submitted({ retries: 2 })]);
  for (const next of commands) {
    const before = state;
    let events: readonly TaskEvent[] = [];
    try {
      events = taskDecider.decide(next, before);
    } catch (error) {
      // Refusals are part of the contract; anything else is a defect.
      if (!(error instanceof GantryError)) throw error;
    }
    state = fold(taskDecider, before, events);
    steps.push({ command: next, before, events, after: state });
  }
  return steps;
}

const attemptOf = (state: TaskState): number => ('attempt' in state ? state.attempt : 0);
const property = (check: (steps: Step[]) => void) =>
  fc.assert(
    fc.property(history, (commands) => check(run(commands))),
    { numRuns: 1_000 },
  );

describe('any interleaving of commands', () => {
  it('ends a task at most once and never leaves the end', () => {
    property((steps) => {
      const ends = steps.flatMap((step) => step.events).filter((event) => terminalEvents.includes(event.type));
      expect(ends.length).toBeLessThanOrEqual(1);
      for (const { before, after } of steps) {
        if (before.status === 'deleted') expect(after).toBe(before);
        else if (isTerminal(before.status as TaskStatus)) expect([before.status, 'deleted']).toContain(after.status);
      }
    });
  });

  it('only counts attempts up, by one', () => {
    property((steps) => {
      for (const { before, after } of steps) {
        if (after.status === 'deleted') continue;
        expect([0, 1]).toContain(attemptOf(after) - attemptOf(before));
      }
    });
  });

  it('makes nothing but a record of a report that is not about the current attempt and its worker, and that once', () => {
    property((steps) => {
      const records = new Set<string>();
      for (const { command: next, before, events } of steps) {
        if (next.type !== 'RecordReport') continue;
        const assigns = events[0]?.type === 'TaskAssigned' && next.assignment !== undefined;
        const current =
          assigns || ('workerId' in before && next.attempt === before.attempt && next.workerId === before.workerId);
        if (!current) expect(events.filter((event) => event.type !== 'StaleReportIgnored')).toEqual([]);
        for (const event of events) {
          if (event.type !== 'StaleReportIgnored') continue;
          const key = `${event.data.attempt}:${event.data.workerId}`;
          expect(records.has(key)).toBe(false);
          records.add(key);
        }
      }
    });
  });

  it('does nothing when a command that was just carried out comes again', () => {
    property((steps) => {
      for (const { command: again, after, events } of steps) {
        if (events.length === 0) continue;
        let repeated: readonly TaskEvent[] = [];
        try {
          repeated = taskDecider.decide(again, after);
        } catch (error) {
          if (!(error instanceof GantryError)) throw error;
        }
        expect(repeated).toEqual([]);
      }
    });
  });

  it('never requeues after a cancel request, and uses no more retries than were given', () => {
    property((steps) => {
      let cancelled = false;
      let retries = 0;
      for (const event of steps.flatMap((step) => step.events)) {
        if (event.type === 'TaskCancelRequested') cancelled = true;
        if (event.type !== 'TaskRequeued') continue;
        expect(cancelled).toBe(false);
        if (event.data.usedRetry) retries += 1;
      }
      expect(retries).toBeLessThanOrEqual(2);
    });
  });

  it('tells a task as cancelled only on the word of who could have let it run', () => {
    let withdrawn = 0;
    property((steps) => {
      for (const { command: next, before, events } of steps) {
        if (!events.some(({ type }) => type === 'TaskCancelled')) continue;
        expect('cancel' in before && before.cancel).toBeTruthy();
        if (before.status === 'queued' && events[0]?.type !== 'TaskAssigned') {
          expect(next.type).toBe('RecordWithdrawal');
          withdrawn += 1;
        } else expect(['RecordReport', 'RecordAttemptLost']).toContain(next.type);
      }
    });
    expect(withdrawn).toBeGreaterThan(0);
  });

  it('makes events that fit their contract and a view that agrees with the state', () => {
    property((steps) => {
      let view: TaskView | undefined;
      let version = 0;
      const absorb = (events: readonly TaskEvent[]) => {
        version += 1;
        view = foldTaskCommit(view, { commit: { aggregateId: 't', version, events } as unknown as Commit });
      };
      absorb([submitted({ retries: 2 })]);
      for (const { events, after } of steps) {
        if (events.length === 0) continue;
        for (const event of events) taskEventSchemas[event.type].parse(event.data);
        absorb(events);
        expect(view?.deleted ? 'deleted' : view?.status).toBe(after.status);
        if (after.status !== 'deleted') expect(view?.attempt).toBe(attemptOf(after));
      }
    });
  });
});

describe('evolve', () => {
  it('takes any event in any state without throwing', () => {
    const events = fc.array(
      history.map((commands) => run(commands).flatMap((step) => [...step.events])),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat()), (histories, picks) => {
        const shuffled = histories
          .flat()
          .map((event) => ({ event, key: picks.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        let state: TaskState = initialTaskState;
        for (const event of shuffled) state = evolveTask(state, event);
        expect(state.status).toBeTypeOf('string');
      }),
      { numRuns: 300 },
    );
  });
});
