import type { Artifact } from '@gantry/contracts/tasks/task-status';
import { given } from '@gantry/testing/given-when-then';
import { describe, expect, it } from 'vitest';
import type {
  RecordArtifact,
  RecordAssignment,
  RecordAttemptLost,
  RecordWithdrawal,
  RequestCancel,
} from './task.commands.js';
import { decideTask, taskDecider } from './task.decide.js';
import {
  NOW,
  assigned,
  cancelRequested,
  exited,
  report,
  requeued,
  spec,
  started,
  starting,
  submitted,
  succeeded,
} from './task.fixture.js';
import { backOffMs } from './task.retry-policy.js';

const assignment = (attempt = 1, workerId = 'w1'): RecordAssignment => ({
  type: 'RecordAssignment',
  attempt,
  workerId,
  workerName: workerId,
  leaseMs: 60_000,
  gpuIds: [],
  assignedAt: 2,
});
const cancel: RequestCancel = { type: 'RequestCancel', requestedBy: 'Ada', graceMs: 10_000, at: 5 };
const withdrawal: RecordWithdrawal = { type: 'RecordWithdrawal', attempt: 1, now: 6 };
const backingOff = [submitted({ retries: 1 }), assigned(), started(), requeued(1, 'user_exit')];
const lost = (attempt = 1, workerId = 'w1'): RecordAttemptLost => ({
  type: 'RecordAttemptLost',
  attempt,
  workerId,
  message: 'worker lost',
  now: 6,
  jitter: 0.5,
});

describe('submit', () => {
  it('starts a task', () => {
    given(taskDecider, [])
      .when({ type: 'SubmitTask', ownerId: 'ada', ownerName: 'Ada', spec: spec(), at: 1 })
      .then([submitted()]);
  });

  it('links a repeated task to the old one', () => {
    given(taskDecider, [])
      .when({ type: 'SubmitTask', ownerId: 'ada', ownerName: 'Ada', spec: spec(), retryOf: 'old', at: 1 })
      .then([
        {
          type: 'TaskSubmitted',
          data: { ownerId: 'ada', ownerName: 'Ada', spec: spec(), retryOf: 'old', submittedAt: 1 },
        },
      ]);
  });

  it.each([
    ['queued', [submitted()]],
    ['ended', [submitted(), assigned(), started(), succeeded()]],
  ])('does nothing to a task that exists (%s)', (_name, events) => {
    given(taskDecider, events)
      .when({ type: 'SubmitTask', ownerId: 'ada', ownerName: 'Ada', spec: spec(), at: 7 })
      .then([]);
  });
});

describe('assignment', () => {
  it('takes a queued task to its worker', () => {
    given(taskDecider, [submitted()]).when(assignment()).then([assigned()]);
    given(taskDecider, [submitted(), assigned(), requeued()])
      .when(assignment(2, 'w2'))
      .then([assigned(2, 'w2')]);
  });

  it.each([
    ['an older attempt', [submitted(), assigned(), requeued()], assignment(1, 'w1')],
    ['a later attempt', [submitted()], assignment(2)],
    ['a task that has a worker', [submitted(), assigned()], assignment(1, 'w2')],
    [
      'a cancelled task',
      [submitted(), cancelRequested(), { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 5 } } as const],
      assignment(),
    ],
    ['an unknown task', [], assignment()],
  ])('ignores %s', (_name, events, command) => {
    given(taskDecider, events).when(command).then([]);
  });
});

describe('cancel', () => {
  it.each([
    ['the scheduler when queued', [submitted()]],
    ['the scheduler when it waits out its back-off', backingOff],
    ['the agent when assigned', [submitted(), assigned()]],
    ['the agent when starting', [submitted(), assigned(), starting()]],
    ['the agent when running', [submitted(), assigned(), started()]],
  ])('waits for %s, and asks only once', (_name, events) => {
    given(taskDecider, events).when(cancel).then([cancelRequested()]);
    given(taskDecider, [...events, cancelRequested()])
      .when(cancel)
      .then([]);
  });

  it('keeps the reason', () => {
    given(taskDecider, [submitted(), assigned()])
      .when({ ...cancel, reason: 'wrong data' })
      .then([
        { type: 'TaskCancelRequested', data: { requestedBy: 'Ada', reason: 'wrong data', graceMs: 10_000, at: 5 } },
      ]);
  });

  it('of a waiting task is over when the scheduler has withdrawn it, and what its last attempt still says changes nothing', () => {
    const ended = { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 6 } } as const;
    given(taskDecider, [submitted(), cancelRequested()]).when(withdrawal).then([ended]);
    const asked = [...backingOff, cancelRequested()];
    given(taskDecider, asked)
      .when({ ...withdrawal, attempt: 2 })
      .then([ended]);
    given(taskDecider, [...asked, ended])
      .when(report(exited('exited', { exitCode: 0 })))
      .then([]);
  });

  it('of a task whose assignment was on its way is over when its worker says so', () => {
    const placed = [submitted({ retries: 1 }), cancelRequested()];
    given(taskDecider, placed).when(assignment()).then([assigned()]);
    given(taskDecider, [...placed, assigned()])
      .when(withdrawal)
      .then([]);
    given(taskDecider, [...placed, assigned()])
      .when(report(exited('cancelled')))
      .then([{ type: 'TaskCancelled', data: { attempt: 1, finishedAt: 9 } }]);
  });

  it.each([
    ['nobody cancelled', [submitted()]],
    ['of another attempt', [...backingOff, cancelRequested()]],
    ['that is unknown', []],
    ['that has ended', [submitted(), assigned(), started(), succeeded()]],
  ])('a withdrawal of a task %s changes nothing', (_name, events) => {
    given(taskDecider, events).when(withdrawal).then([]);
  });

  it('is refused for a task that has ended, and nothing for a cancelled one', () => {
    given(taskDecider, [submitted(), assigned(), started(), succeeded()])
      .when(cancel)
      .thenThrows('TASK.ALREADY_FINISHED');
    given(taskDecider, [submitted(), cancelRequested(), { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 5 } }])
      .when(cancel)
      .then([]);
    given(taskDecider, []).when(cancel).thenThrows('TASK.NOT_FOUND');
  });
});

describe('a lost attempt', () => {
  it.each([
    ['assigned', [submitted(), assigned()]],
    ['starting', [submitted(), assigned(), starting()]],
    ['running', [submitted(), assigned(), started()]],
  ])('puts a task that was %s back into the queue without using a retry', (_name, events) => {
    given(taskDecider, events).when(lost()).then([requeued()]);
  });

  it('backs off from the second time on', () => {
    given(taskDecider, [submitted(), assigned(), requeued(), assigned(2, 'w2')])
      .when(lost(2, 'w2'))
      .then([
        {
          type: 'TaskRequeued',
          data: {
            endedAttempt: 2,
            nextAttempt: 3,
            failure: { class: 'infrastructure', message: 'worker lost' },
            notBefore: 6 + 750,
            at: 6,
            usedRetry: false,
            avoidWorkerId: 'w2',
          },
        },
      ]);
  });

  it('ends the task as cancelled when its end was asked for', () => {
    given(taskDecider, [submitted(), assigned(), started(), cancelRequested()])
      .when(lost())
      .then([{ type: 'TaskCancelled', data: { attempt: 1, finishedAt: 6 } }]);
  });

  it('fails the task at the tenth infrastructure failure', () => {
    const failures = Array.from({ length: 9 }, (_, index) => [assigned(index + 1), requeued(index + 1)]).flat();
    given(taskDecider, [submitted(), ...failures, assigned(10)])
      .when(lost(10))
      .then([
        {
          type: 'TaskFailed',
          data: { attempt: 10, failure: { class: 'infrastructure', message: 'worker lost' }, finishedAt: 6 },
        },
      ]);
  });

  it('is nothing for another attempt, another worker or an ended task', () => {
    given(taskDecider, [submitted(), assigned(), requeued(), assigned(2, 'w2')])
      .when(lost(1))
      .then([]);
    given(taskDecider, [submitted(), assigned(1, 'w2')])
      .when(lost(1, 'w1'))
      .then([]);
    given(taskDecider, [submitted(), assigned(), started(), succeeded()]).when(lost()).then([]);
    given(taskDecider, [submitted(), assigned(), requeued()]).when(lost(1)).then([]);
  });

  it('waits for an assignment that it overtook', () => {
    given(taskDecider, [submitted()]).when(lost()).thenThrows('TASK.ASSIGNMENT_NOT_SEEN');
  });
});

describe('artifacts', () => {
  const artifact: Artifact = {
    id: 'a1',
    attempt: 1,
    path: 'model.bin',
    sizeBytes: 3,
    sha256: 'ff',
    mediaType: 'text/plain',
    storedAt: 7,
  };
  const record: RecordArtifact = { type: 'RecordArtifact', workerId: 'w1', artifact };

  it('are recorded once', () => {
    given(taskDecider, [submitted(), assigned(), started()])
      .when(record)
      .then([{ type: 'ArtifactStored', data: { artifact } }]);
    given(taskDecider, [submitted(), assigned(), started(), { type: 'ArtifactStored', data: { artifact } }])
      .when(record)
      .then([]);
  });

  it.each([
    ['an ended task', [submitted(), assigned(), started(), succeeded()]],
    ['another worker', [submitted(), assigned(1, 'w2')]],
    ['an older attempt', [submitted(), assigned(), requeued(), assigned(2, 'w1')]],
    ['an unknown task', []],
  ])('are refused for %s', (_name, events) => {
    given(taskDecider, events).when(record).thenThrows('ARTIFACT.ATTEMPT_NOT_CURRENT');
  });

  it('are limited per attempt', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({
      type: 'ArtifactStored' as const,
      data: { artifact: { ...artifact, id: `b${index}` } },
    }));
    given(taskDecider, [submitted(), assigned(), ...many])
      .when(record)
      .thenThrows('ARTIFACT.TOO_MANY');
    given(taskDecider, [submitted(), assigned(), ...many, requeued(), assigned(2)])
      .when({ ...record, artifact: { ...artifact, attempt: 2 } })
      .then([{ type: 'ArtifactStored', data: { artifact: { ...artifact, attempt: 2 } } }]);
  });
});

describe('delete', () => {
  const remove = { type: 'DeleteTask', deletedBy: 'Ada', at: 11 } as const;
  const deleted = { type: 'TaskDeleted', data: { deletedBy: 'Ada', at: 11 } } as const;

  it('removes an ended task once', () => {
    given(taskDecider, [submitted(), assigned(), started(), succeeded()]).when(remove).then([deleted]);
    given(taskDecider, [submitted(), assigned(), started(), succeeded(), deleted]).when(remove).then([]);
  });

  it('is refused while the task is active', () => {
    given(taskDecider, [submitted()]).when(remove).thenThrows('TASK.NOT_FINISHED');
    given(taskDecider, [submitted(), assigned(), started()]).when(remove).thenThrows('TASK.NOT_FINISHED');
    given(taskDecider, []).when(remove).thenThrows('TASK.NOT_FOUND');
  });

  it('leaves a task that nothing happens to any more', () => {
    const events = [submitted(), assigned(), started(), succeeded(), deleted];
    given(taskDecider, events).when(assignment(2)).then([]);
    given(taskDecider, events).when(lost()).then([]);
    given(taskDecider, events).when(cancel).thenThrows('TASK.NOT_FOUND');
  });
});

describe('back-off', () => {
  it('doubles from one second to five minutes, between half and all of it', () => {
    expect([0, 1, 2, 8, 9, 50].map((earlier) => backOffMs(earlier, 0))).toEqual([
      500, 1_000, 2_000, 128_000, 150_000, 150_000,
    ]);
    expect(backOffMs(0, 0.999)).toBe(1_000);
    expect(backOffMs(50, 0.999)).toBeLessThanOrEqual(300_000);
  });
});

it('decides without touching its input', () => {
  const state = Object.freeze({ status: 'absent' as const });
  expect(
    decideTask({ type: 'SubmitTask', ownerId: 'ada', ownerName: 'Ada', spec: Object.freeze(spec()), at: NOW }, state),
  ).toHaveLength(1);
});
