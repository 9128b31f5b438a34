import type { ReportBody } from '@gantry/contracts/agents/report';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema, type TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import type { RecordReport } from './task.commands.js';

/** Events and commands that specifications share. */
export const NOW = 1_000_000;

export function spec(change: Partial<TaskSpecInput> = {}) {
  return taskSpecSchema.parse({ name: 'train', image: 'busybox:latest', ...change });
}

export function submitted(change: Partial<TaskSpecInput> = {}): TaskEvent {
  return { type: 'TaskSubmitted', data: { ownerId: 'ada', ownerName: 'Ada', spec: spec(change), submittedAt: 1 } };
}

export function assigned(attempt = 1, workerId = 'w1'): TaskEvent {
  return {
    type: 'TaskAssigned',
    data: { attempt, workerId, workerName: workerId, leaseMs: 60_000, gpuIds: [], assignedAt: 2 },
  };
}

export function starting(phase: 'accepted' | 'pulling' = 'accepted', attempt = 1): TaskEvent {
  return { type: 'TaskStarting', data: { attempt, phase, at: 3 } };
}

export function started(attempt = 1, startedAt = 4): TaskEvent {
  return { type: 'TaskStarted', data: { attempt, startedAt, containerId: 'c1' } };
}

export function cancelRequested(): TaskEvent {
  return { type: 'TaskCancelRequested', data: { requestedBy: 'Ada', graceMs: 10_000, at: 5 } };
}

export function requeued(
  endedAttempt = 1,
  failureClass: 'infrastructure' | 'user_exit' = 'infrastructure',
  message = 'worker lost',
): TaskEvent {
  return {
    type: 'TaskRequeued',
    data: {
      endedAttempt,
      nextAttempt: endedAttempt + 1,
      failure: { class: failureClass, message },
      notBefore: 6,
      at: 6,
      usedRetry: failureClass !== 'infrastructure',
      avoidWorkerId: 'w1',
    },
  };
}

export function succeeded(attempt = 1): TaskEvent {
  return { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: 9 } };
}

export function report(body: ReportBody, change: Partial<Omit<RecordReport, 'type' | 'report'>> = {}): RecordReport {
  return { type: 'RecordReport', workerId: 'w1', attempt: 1, at: 8, now: NOW, jitter: 0.5, ...change, report: body };
}

type Exited = Extract<ReportBody, { type: 'exited' }>;

export function exited(outcome: Exited['outcome'], change: Partial<Omit<Exited, 'type' | 'outcome'>> = {}): Exited {
  return { type: 'exited', outcome, message: 'as the agent saw it', finishedAt: 9, ...change };
}
