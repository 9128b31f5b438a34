import { given } from '@gantry/testing/given-when-then';
import { describe, it } from 'vitest';
import { taskDecider } from './task.decide.js';
import {
  assigned,
  cancelRequested,
  exited,
  NOW,
  report,
  requeued,
  started,
  starting,
  submitted,
  succeeded,
} from './task.fixture.js';

const usage = { cpuSeconds: 1, peakMemoryMb: 2, durationMs: 3 };
const running = [submitted(), assigned(), starting(), started()];

const requeuedBy = (
  failureClass: 'user_exit' | 'out_of_memory' | 'timeout' | 'image',
  waitMs: number,
  attempt = 1,
  exitCode?: number,
) =>
  ({
    type: 'TaskRequeued',
    data: {
      endedAttempt: attempt,
      nextAttempt: attempt + 1,
      failure: { class: failureClass, message: 'as the agent saw it' },
      notBefore: NOW + waitMs,
      at: NOW,
      usedRetry: true,
      avoidWorkerId: 'w1',
      ...(exitCode === undefined ? {} : { exitCode }),
    },
  }) as const;

const requeuedForInfrastructure = (message = 'as the agent saw it') =>
  ({
    type: 'TaskRequeued',
    data: {
      endedAttempt: 1,
      nextAttempt: 2,
      failure: { class: 'infrastructure', message },
      notBefore: NOW,
      at: NOW,
      usedRetry: false,
      avoidWorkerId: 'w1',
    },
  }) as const;

describe('on the way to running', () => {
  it('accepted, pulling with progress, started', () => {
    given(taskDecider, [submitted(), assigned()])
      .when(report({ type: 'accepted' }))
      .then([{ type: 'TaskStarting', data: { attempt: 1, phase: 'accepted', at: 8 } }]);
    given(taskDecider, [submitted(), assigned(), starting()])
      .when(report({ type: 'pulling', percent: 40, message: 'pulling 40 %' }))
      .then([
        { type: 'TaskStarting', data: { attempt: 1, phase: 'pulling', at: 8 } },
        { type: 'TaskProgressed', data: { attempt: 1, percent: 40, message: 'pulling 40 %', at: 8 } },
      ]);
    given(taskDecider, [submitted(), assigned(), starting('pulling')])
      .when(report({ type: 'pulling', percent: 60 }))
      .then([{ type: 'TaskProgressed', data: { attempt: 1, percent: 60, at: 8 } }]);
    given(taskDecider, [submitted(), assigned()])
      .when(report({ type: 'started', startedAt: 4, containerId: 'c1' }))
      .then([started()]);
  });

  it('progress of a running task, in the order of the agent’s clock', () => {
    const progressed = { type: 'TaskProgressed', data: { attempt: 1, percent: 50, at: 8 } } as const;
    given(taskDecider, running)
      .when(report({ type: 'progress', percent: 50 }))
      .then([progressed]);
    given(taskDecider, [...running, progressed])
      .when(report({ type: 'progress', percent: 50 }))
      .then([]);
    given(taskDecider, [...running, progressed])
      .when(report({ type: 'progress', percent: 40 }, { at: 7 }))
      .then([]);
    given(taskDecider, running)
      .when(report({ type: 'progress' }))
      .then([]);
  });

  it('repetitions and latecomers are nothing', () => {
    given(taskDecider, [submitted(), assigned(), starting()])
      .when(report({ type: 'accepted' }))
      .then([]);
    given(taskDecider, running)
      .when(report({ type: 'accepted' }))
      .then([]);
    given(taskDecider, running)
      .when(report({ type: 'pulling', percent: 99 }))
      .then([]);
    given(taskDecider, running)
      .when(report({ type: 'started', startedAt: 4, containerId: 'c1' }))
      .then([]);
    given(taskDecider, [submitted(), assigned()])
      .when(report({ type: 'progress', percent: 5 }))
      .then([]);
  });
});

describe('exit', () => {
  it('0 is success', () => {
    given(taskDecider, running)
      .when(report(exited('exited', { exitCode: 0, usage })))
      .then([{ type: 'TaskSucceeded', data: { attempt: 1, exitCode: 0, finishedAt: 9, usage } }]);
  });

  it.each([
    ['assigned', [submitted(), assigned()]],
    ['starting', [submitted(), assigned(), starting()]],
  ])('of a task still %s brings its own start', (_name, events) => {
    given(taskDecider, events)
      .when(report(exited('exited', { exitCode: 0, startedAt: 4, containerId: 'c1' })))
      .then([started(), succeeded()]);
  });

  it.each([
    ['exited', 'user_exit', 3],
    ['out_of_memory', 'out_of_memory', 137],
    ['image_error', 'image', undefined],
    ['failed_to_start', 'invalid', undefined],
  ] as const)('%s without retries fails with class %s', (outcome, failureClass, exitCode) => {
    given(taskDecider, running)
      .when(report(exited(outcome, exitCode === undefined ? {} : { exitCode })))
      .then([
        {
          type: 'TaskFailed',
          data: {
            attempt: 1,
            failure: { class: failureClass, message: 'as the agent saw it' },
            finishedAt: 9,
            ...(exitCode === undefined ? {} : { exitCode }),
          },
        },
      ]);
  });

  it('names the exit code when the agent gave no words', () => {
    given(taskDecider, running)
      .when(report(exited('exited', { exitCode: 3, message: '' })))
      .then([
        {
          type: 'TaskFailed',
          data: {
            attempt: 1,
            failure: { class: 'user_exit', message: 'The command exited with code 3.' },
            exitCode: 3,
            finishedAt: 9,
          },
        },
      ]);
  });

  it('timed_out without retries is a time-out', () => {
    given(taskDecider, [submitted({ timeoutSeconds: 60 }), assigned(), started()])
      .when(report(exited('timed_out')))
      .then([{ type: 'TaskTimedOut', data: { attempt: 1, limitSeconds: 60, finishedAt: 9 } }]);
  });

  it.each([
    ['exited', 'user_exit', 3],
    ['out_of_memory', 'out_of_memory', 137],
    ['timed_out', 'timeout', undefined],
    ['image_error', 'image', undefined],
  ] as const)('%s with a retry left is tried again', (outcome, failureClass, exitCode) => {
    given(taskDecider, [submitted({ retries: 1 }), assigned(), started()])
      .when(report(exited(outcome, exitCode === undefined ? {} : { exitCode })))
      .then([requeuedBy(failureClass, 750, 1, exitCode)]);
  });

  describe('out of memory with retries and a factor', () => {
    const oom = (attempt = 1) => report(exited('out_of_memory', { exitCode: 137 }), { attempt });
    const resources = { memoryMb: 1_000 };
    const grownTo = (memoryMb: number, waitMs: number, attempt = 1) => {
      const { type, data } = requeuedBy('out_of_memory', waitMs, attempt, 137);
      return { type, data: { ...data, memoryMb } };
    };

    it('the next attempt gets that much more, rounded up', () => {
      given(taskDecider, [submitted({ retries: 2, retryMemoryFactor: 1.5005, resources }), assigned(), started()])
        .when(oom())
        .then([grownTo(1_501, 750)]);
    });

    it('grows from attempt to attempt up to the limit, also over other failures in between, then stays', () => {
      const change = { retries: 5, retryMemoryFactor: 2, retryMemoryMaxMb: 3_000, resources };
      const second = [submitted(change), assigned(), grownTo(2_000, 750), assigned(2), requeued(2), assigned(3)];
      given(taskDecider, second)
        .when(oom(3))
        .then([grownTo(3_000, 1_500, 3)]);
      given(taskDecider, [...second, grownTo(3_000, 1_500, 3), assigned(4)])
        .when(oom(4))
        .then([requeuedBy('out_of_memory', 3_000, 4, 137)]);
    });

    it('a limit below the request takes nothing away', () => {
      given(taskDecider, [submitted({ retries: 1, retryMemoryFactor: 4, retryMemoryMaxMb: 10, resources }), assigned()])
        .when(oom())
        .then([requeuedBy('out_of_memory', 750, 1, 137)]);
    });

    it('other failures get the same memory again', () => {
      given(taskDecider, [submitted({ retries: 1, retryMemoryFactor: 4, resources }), assigned(), started()])
        .when(report(exited('exited', { exitCode: 3 })))
        .then([requeuedBy('user_exit', 750, 1, 3)]);
    });
  });

  it('failed_to_start is never tried again', () => {
    given(taskDecider, [submitted({ retries: 5 }), assigned()])
      .when(report(exited('failed_to_start')))
      .then([
        {
          type: 'TaskFailed',
          data: { attempt: 1, failure: { class: 'invalid', message: 'as the agent saw it' }, finishedAt: 9 },
        },
      ]);
  });

  it('waits longer from try to try, and stops when the retries are used up', () => {
    const tried = [submitted({ retries: 2 }), assigned(), started(), requeued(1, 'user_exit'), assigned(2), started(2)];
    given(taskDecider, tried)
      .when(report(exited('exited', { exitCode: 1 }), { attempt: 2 }))
      .then([requeuedBy('user_exit', 1_500, 2, 1)]);
    given(taskDecider, [...tried, requeued(2, 'user_exit'), assigned(3), started(3)])
      .when(report(exited('exited', { exitCode: 1 }), { attempt: 3 }))
      .then([
        {
          type: 'TaskFailed',
          data: {
            attempt: 3,
            failure: { class: 'user_exit', message: 'as the agent saw it' },
            exitCode: 1,
            finishedAt: 9,
          },
        },
      ]);
  });

  it.each([
    ['an infrastructure error', exited('infrastructure_error')],
    ['a stop that nobody asked for', exited('cancelled')],
    ['an exit without a code', exited('exited')],
    ['a rejection', { type: 'rejected', message: 'as the agent saw it' } as const],
  ])('%s goes back to the queue and avoids the worker', (_name, body) => {
    given(taskDecider, running).when(report(body)).then([requeuedForInfrastructure()]);
  });
});

describe('exit after a cancel request', () => {
  const cancelling = [...running, cancelRequested()];
  const cancelledAt9 = { type: 'TaskCancelled', data: { attempt: 1, finishedAt: 9 } } as const;

  it('cancelled confirms it', () => {
    given(taskDecider, cancelling)
      .when(report(exited('cancelled', { usage })))
      .then([{ type: 'TaskCancelled', data: { attempt: 1, finishedAt: 9, usage } }]);
  });

  it('0 before the kill is still a success', () => {
    given(taskDecider, cancelling)
      .when(report(exited('exited', { exitCode: 0 })))
      .then([succeeded()]);
  });

  it.each(['out_of_memory', 'timed_out', 'failed_to_start', 'image_error', 'infrastructure_error'] as const)(
    '%s ends it as cancelled, whatever retries are left',
    (outcome) => {
      given(taskDecider, [submitted({ retries: 3 }), assigned(), started(), cancelRequested()])
        .when(report(exited(outcome)))
        .then([cancelledAt9]);
    },
  );

  it('a failure or a rejection too', () => {
    given(taskDecider, [submitted({ retries: 3 }), assigned(), cancelRequested()])
      .when(report(exited('exited', { exitCode: 143 })))
      .then([cancelledAt9]);
    given(taskDecider, [submitted(), assigned(), cancelRequested()])
      .when(report({ type: 'rejected', message: 'shutting down' }))
      .then([{ type: 'TaskCancelled', data: { attempt: 1, finishedAt: 8 } }]);
  });

  it('the start still counts in between', () => {
    given(taskDecider, [submitted(), assigned(), cancelRequested()])
      .when(report({ type: 'started', startedAt: 4, containerId: 'c1' }))
      .then([started()]);
    given(taskDecider, [submitted(), assigned(), cancelRequested(), started()])
      .when(report(exited('cancelled')))
      .then([cancelledAt9]);
  });
});

describe('reports that are not about the current attempt', () => {
  const staleExit = {
    type: 'StaleReportIgnored',
    data: { attempt: 1, workerId: 'w1', report: 'exited', at: 8 },
  } as const;
  const replaced = [submitted(), assigned(), started(), requeued(), assigned(2, 'w2')];

  it('of an attempt that was given up: recorded once', () => {
    given(taskDecider, replaced)
      .when(report(exited('exited', { exitCode: 0 })))
      .then([staleExit]);
    given(taskDecider, [...replaced, staleExit])
      .when(report(exited('exited', { exitCode: 0 })))
      .then([]);
    given(taskDecider, [...replaced, staleExit])
      .when(report({ type: 'progress', percent: 1 }))
      .then([]);
    given(taskDecider, [submitted(), assigned(), requeued()])
      .when(report(exited('exited', { exitCode: 0 })))
      .then([staleExit]);
  });

  it('repeated or late reports of an attempt that ended by its own report: nothing', () => {
    const retried = [submitted({ retries: 1 }), assigned(), started(), requeued(1, 'user_exit', 'as the agent saw it')];
    given(taskDecider, retried)
      .when(report(exited('exited', { exitCode: 1 })))
      .then([]);
    given(taskDecider, [...retried, assigned(2, 'w2')])
      .when(report({ type: 'started', startedAt: 4, containerId: 'c1' }))
      .then([]);
    given(taskDecider, [submitted(), assigned(), requeuedForInfrastructure()])
      .when(report(exited('infrastructure_error')))
      .then([]);
  });

  it('of a worker that does not have it: recorded once, and nothing else', () => {
    const record = {
      type: 'StaleReportIgnored',
      data: { attempt: 1, workerId: 'w9', report: 'exited', at: 8 },
    } as const;
    const forged = report(exited('exited', { exitCode: 0 }), { workerId: 'w9' });
    given(taskDecider, running).when(forged).then([record]);
    given(taskDecider, [...running, record])
      .when(forged)
      .then([]);
  });

  it('of an attempt whose assignment has not arrived: held back', () => {
    given(taskDecider, [submitted()])
      .when(report({ type: 'accepted' }))
      .thenThrows('TASK.ASSIGNMENT_NOT_SEEN');
    given(taskDecider, running)
      .when(report({ type: 'accepted' }, { attempt: 2 }))
      .thenThrows('TASK.ASSIGNMENT_NOT_SEEN');
    given(taskDecider, [])
      .when(report({ type: 'accepted' }))
      .thenThrows('TASK.NOT_FOUND');
  });

  it('after the end: nothing from its worker, one record of another', () => {
    const done = [...running, succeeded()];
    given(taskDecider, done)
      .when(report(exited('exited', { exitCode: 1 })))
      .then([]);
    given(taskDecider, done)
      .when(report({ type: 'progress', percent: 3 }))
      .then([]);
    given(taskDecider, done)
      .when(report({ type: 'accepted' }, { attempt: 2 }))
      .then([]);
    given(taskDecider, [submitted(), cancelRequested(), { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 5 } }])
      .when(report({ type: 'accepted' }))
      .then([{ type: 'StaleReportIgnored', data: { attempt: 1, workerId: 'w1', report: 'accepted', at: 8 } }]);
  });
});
