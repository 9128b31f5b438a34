import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { Failure, Usage } from '@gantry/contracts/tasks/task-status';
import {
  backOffMs,
  infrastructureBackOffMs,
  MAX_INFRASTRUCTURE_FAILURES,
  memoryAfterOom,
} from './task.retry-policy.js';
import type { PlacedTask } from './task.state.js';

/** How an attempt ended without success. `finishedAt`: the agent's clock where there is one; `now`: this service's. */
export interface Ending {
  readonly message: string;
  readonly finishedAt: number;
  readonly now: number;
  readonly jitter: number;
  readonly exitCode?: number | undefined;
  readonly usage?: Usage | undefined;
}

/**
 * The task's own failure: tried again while the user's retries last. A cancel request wins over everything but success:
 * whatever the process did after it, the user's wish was its end.
 */
export function endByFailure(state: PlacedTask, failureClass: Failure['class'], ending: Ending): readonly TaskEvent[] {
  if (state.cancel !== undefined) return [cancelled(state, ending)];
  const retryable = failureClass !== 'invalid';
  if (retryable && state.retriesUsed < state.spec.retries) {
    return [requeued(state, failureClass, ending, backOffMs(state.retriesUsed, ending.jitter), true)];
  }
  if (failureClass === 'timeout') {
    return [
      {
        type: 'TaskTimedOut',
        data: {
          attempt: state.attempt,
          limitSeconds: state.spec.timeoutSeconds,
          finishedAt: ending.finishedAt,
          ...usageOf(ending),
        },
      },
    ];
  }
  return [failed(state, failureClass, ending)];
}

/** Not the task's fault: uses no retry, but only so often. */
export function endByInfrastructure(state: PlacedTask, ending: Ending): readonly TaskEvent[] {
  if (state.cancel !== undefined) return [cancelled(state, ending)];
  const earlier = state.infrastructureFailures;
  if (earlier + 1 >= MAX_INFRASTRUCTURE_FAILURES) return [failed(state, 'infrastructure', ending)];
  return [requeued(state, 'infrastructure', ending, infrastructureBackOffMs(earlier, ending.jitter), false)];
}

export function cancelled(state: PlacedTask, ending: Pick<Ending, 'finishedAt' | 'usage'>): TaskEvent {
  return { type: 'TaskCancelled', data: { attempt: state.attempt, finishedAt: ending.finishedAt, ...usageOf(ending) } };
}

function failed(state: PlacedTask, failureClass: Failure['class'], ending: Ending): TaskEvent {
  return {
    type: 'TaskFailed',
    data: {
      attempt: state.attempt,
      failure: { class: failureClass, message: ending.message },
      finishedAt: ending.finishedAt,
      ...exitCodeOf(ending),
      ...usageOf(ending),
    },
  };
}

function requeued(
  state: PlacedTask,
  failureClass: Failure['class'],
  ending: Ending,
  waitMs: number,
  usedRetry: boolean,
): TaskEvent {
  return {
    type: 'TaskRequeued',
    data: {
      endedAttempt: state.attempt,
      nextAttempt: state.attempt + 1,
      failure: { class: failureClass, message: ending.message },
      notBefore: ending.now + waitMs,
      at: ending.now,
      usedRetry,
      ...exitCodeOf(ending),
      ...usageOf(ending),
      ...grownMemoryOf(state, failureClass),
      // Whatever the class: a broken device or image of that machine often shows as an exit of the command.
      avoidWorkerId: state.workerId,
    },
  };
}

function grownMemoryOf({ memoryMb: before, spec }: PlacedTask, failureClass: Failure['class']): { memoryMb?: number } {
  if (failureClass !== 'out_of_memory') return {};
  const memoryMb = memoryAfterOom(before, spec);
  return memoryMb === before ? {} : { memoryMb };
}

function exitCodeOf({ exitCode }: Ending): { exitCode?: number } {
  return exitCode === undefined ? {} : { exitCode };
}

function usageOf({ usage }: Pick<Ending, 'usage'>): { usage?: Usage } {
  return usage === undefined ? {} : { usage };
}
