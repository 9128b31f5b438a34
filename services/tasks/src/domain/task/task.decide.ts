import { MAX_ARTIFACTS_PER_ATTEMPT } from '@gantry/contracts/agents/artifact-upload';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { assertNever } from '@gantry/kernel/assert-never';
import type { Decider } from '@gantry/event-sourcing/decider';
import { decideReports } from './task-report.decide.js';
import { endByInfrastructure } from './task-ending.decide.js';
import type {
  DeleteTask,
  RecordArtifact,
  RecordAssignment,
  RecordAttemptLost,
  RecordReport,
  RecordWithdrawal,
  RequestCancel,
  SubmitTask,
  TaskCommand,
} from './task.commands.js';
import { artifactErrors, taskErrors } from './task.errors.js';
import { evolveTask, isActive, isPlaced } from './task.evolve.js';
import { initialTaskState, type TaskState } from './task.state.js';

/** The life of one task (docs: README, "Life of a task"). No events = nothing to do. */
export function decideTask(command: TaskCommand, state: TaskState): readonly TaskEvent[] {
  switch (command.type) {
    case 'SubmitTask':
      return submit(command, state);
    case 'RecordAssignment':
      return recordAssignment(command, state);
    case 'RecordReport':
      return recordReport(command, state);
    case 'RequestCancel':
      return requestCancel(command, state);
    case 'RecordWithdrawal':
      return recordWithdrawal(command, state);
    case 'RecordAttemptLost':
      return recordAttemptLost(command, state);
    case 'RecordArtifact':
      return recordArtifact(command, state);
    case 'DeleteTask':
      return deleteTask(command, state);
    default:
      return assertNever(command, 'task command');
  }
}

export const taskDecider: Decider<TaskState, TaskCommand, TaskEvent> = {
  initialState: initialTaskState,
  decide: decideTask,
  evolve: evolveTask,
};

/** A task that exists stays as it is: the id is derived from the idempotency key, so this is the same submission again. */
function submit(command: SubmitTask, state: TaskState): readonly TaskEvent[] {
  if (state.status !== 'absent') return [];
  const { ownerId, ownerName, spec, retryOf, at } = command;
  return [
    {
      type: 'TaskSubmitted',
      data: { ownerId, ownerName, spec, submittedAt: at, ...(retryOf === undefined ? {} : { retryOf }) },
    },
  ];
}

/**
 * An assignment that does not fit (an older attempt) is ignored; the scheduler revokes it. One that was on its way when the
 * cancellation was asked for is recorded: its worker has to confirm the end.
 */
function recordAssignment(command: RecordAssignment, state: TaskState): readonly TaskEvent[] {
  if (state.status !== 'queued' || command.attempt !== state.attempt) return [];
  const { attempt, workerId, workerName, leaseMs, gpuIds, assignedAt } = command;
  return [{ type: 'TaskAssigned', data: { attempt, workerId, workerName, leaseMs, gpuIds: [...gpuIds], assignedAt } }];
}

function recordReport(command: RecordReport, state: TaskState): readonly TaskEvent[] {
  if (command.assignment === undefined) return decideReports(command, state);
  const assigned = recordAssignment(command.assignment, state);
  return [...assigned, ...decideReports(command, assigned.reduce(evolveTask, state))];
}

/**
 * Never ends the task by itself, not even a waiting one: an assignment may be on its way to the stream. The scheduler, which alone
 * makes them, says that there will be none (`RecordWithdrawal`); otherwise the agent says that the container is gone.
 */
function requestCancel(command: RequestCancel, state: TaskState): readonly TaskEvent[] {
  if (state.status === 'absent' || state.status === 'deleted') throw taskErrors.notFound();
  if (state.status === 'cancelled') return [];
  if (!isActive(state)) throw taskErrors.alreadyFinished(state.status);
  const { requestedBy, reason, graceMs, at } = command;
  if (state.cancel !== undefined) return [];
  return [
    {
      type: 'TaskCancelRequested',
      data: { requestedBy, graceMs, at, ...(reason === undefined ? {} : { reason }) },
    },
  ];
}

/** The end of a task that was cancelled while it waited. Attempt 0: none was running. */
function recordWithdrawal(command: RecordWithdrawal, state: TaskState): readonly TaskEvent[] {
  if (state.status !== 'queued' || state.cancel === undefined || state.attempt !== command.attempt) return [];
  return [{ type: 'TaskCancelled', data: { attempt: 0, finishedAt: command.now } }];
}

function recordAttemptLost(command: RecordAttemptLost, state: TaskState): readonly TaskEvent[] {
  // The loss overtook the assignment in another stream: it must not be forgotten, or the task would wait for ever.
  if (state.status === 'queued' && command.attempt >= state.attempt) throw taskErrors.assignmentNotSeen();
  if (!isPlaced(state) || state.attempt !== command.attempt || state.workerId !== command.workerId) return [];
  return endByInfrastructure(state, {
    message: command.message,
    finishedAt: command.now,
    now: command.now,
    jitter: command.jitter,
  });
}

function recordArtifact(command: RecordArtifact, state: TaskState): readonly TaskEvent[] {
  const { artifact, workerId } = command;
  assertCurrentAttempt(state, artifact.attempt, workerId);
  const { artifacts } = state;
  if (artifacts.some((known) => known.id === artifact.id && known.sha256 === artifact.sha256)) return [];
  const others = artifacts.filter((known) => known.attempt === artifact.attempt && known.id !== artifact.id);
  if (others.length >= MAX_ARTIFACTS_PER_ATTEMPT) throw artifactErrors.tooMany(MAX_ARTIFACTS_PER_ATTEMPT);
  return [{ type: 'ArtifactStored', data: { artifact } }];
}

/** Only the worker that has the current attempt may add files; a retryable error if its assignment is still on the way. */
export function assertCurrentAttempt(
  state: TaskState,
  attempt: number,
  workerId: string,
): asserts state is Extract<TaskState, { status: 'assigned' | 'starting' | 'running' }> {
  if (state.status === 'queued' && state.attempt === attempt) throw taskErrors.assignmentNotSeen();
  if (!isPlaced(state) || state.attempt !== attempt || state.workerId !== workerId)
    throw artifactErrors.attemptNotCurrent();
}

function deleteTask(command: DeleteTask, state: TaskState): readonly TaskEvent[] {
  if (state.status === 'absent') throw taskErrors.notFound();
  if (state.status === 'deleted') return [];
  if (isActive(state)) throw taskErrors.notFinished();
  return [{ type: 'TaskDeleted', data: { deletedBy: command.deletedBy, at: command.at } }];
}
