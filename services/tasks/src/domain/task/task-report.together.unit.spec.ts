import { given } from '@gantry/testing/given-when-then';
import { describe, it } from 'vitest';
import { taskDecider } from './task.decide.js';
import type { RecordAssignment } from './task.commands.js';
import {
  assigned,
  cancelRequested,
  exited,
  report,
  requeued,
  started,
  starting,
  submitted,
  succeeded,
} from './task.fixture.js';

const running = [submitted(), assigned(), starting(), started()];

describe('reports that came in one message', () => {
  const exit = exited('exited', { exitCode: 0, startedAt: 4, containerId: 'c1' });
  const start = [
    { at: 3, report: { type: 'accepted' } },
    { at: 4, report: { type: 'started', startedAt: 4, containerId: 'c1' } },
  ] as const;

  it('tell the whole life of a short task, each state once', () => {
    given(taskDecider, [submitted(), assigned()])
      .when(report(exit, { earlier: start }))
      .then([starting(), started(), succeeded()]);
  });

  it('tell only what is new, if some of them came before or the message comes again', () => {
    given(taskDecider, [submitted(), assigned(), starting()])
      .when(report(exit, { earlier: start }))
      .then([started(), succeeded()]);
    given(taskDecider, [...running, succeeded()])
      .when(report(exit, { earlier: start }))
      .then([]);
    const broken = exited('infrastructure_error', { message: 'worker lost' });
    given(taskDecider, [submitted(), assigned(), requeued()])
      .when(report(broken, { earlier: start }))
      .then([]);
  });

  it('wait together for an assignment that has not been seen', () => {
    given(taskDecider, [submitted()])
      .when(report(exit, { earlier: start }))
      .thenThrows('TASK.ASSIGNMENT_NOT_SEEN');
  });

  it('of an older attempt are one record', () => {
    given(taskDecider, [submitted(), assigned(), requeued(), assigned(2, 'w2')])
      .when(report(exit, { earlier: start }))
      .then([{ type: 'StaleReportIgnored', data: { attempt: 1, workerId: 'w1', report: 'exited', at: 8 } }]);
  });
});

describe('a report that takes its assignment along', () => {
  const exit = exited('exited', { exitCode: 0 });
  const assignment: RecordAssignment = {
    type: 'RecordAssignment',
    attempt: 1,
    workerId: 'w1',
    workerName: 'w1',
    leaseMs: 60_000,
    gpuIds: [],
    assignedAt: 2,
  };

  it('makes both part of the history, the assignment first', () => {
    given(taskDecider, [submitted()]).when(report(exit, { assignment })).then([assigned(), succeeded()]);
  });

  it('makes only its own events where the assignment is known, and nothing when it comes again', () => {
    given(taskDecider, [submitted(), assigned()]).when(report(exit, { assignment })).then([succeeded()]);
    given(taskDecider, [submitted(), assigned(), succeeded()]).when(report(exit, { assignment })).then([]);
    given(taskDecider, [submitted(), assigned(), requeued()])
      .when(report(exited('infrastructure_error', { message: 'worker lost' }), { assignment }))
      .then([]);
  });

  it('counts also after the cancellation was asked for: the worker has to say how the attempt ended', () => {
    given(taskDecider, [submitted(), cancelRequested()])
      .when(report(exited('cancelled'), { assignment }))
      .then([assigned(), { type: 'TaskCancelled', data: { attempt: 1, finishedAt: 9 } }]);
  });
});
