import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { assertNever } from '@gantry/kernel/assert-never';
import type { ActiveTask, EndedTask, PastAttempt, PlacedTask, QueuedTask, TaskState } from './task.state.js';

/** Applies one stored event. Never throws: an event that does not fit the state (a defect of an older version) changes nothing. */
export function evolveTask(state: TaskState, event: TaskEvent): TaskState {
  if (event.type === 'TaskSubmitted') {
    const { ownerId, spec } = event.data;
    return {
      status: 'queued',
      ownerId,
      spec,
      attempt: 1,
      retriesUsed: 0,
      infrastructureFailures: 0,
      memoryMb: spec.resources.memoryMb,
      artifacts: [],
      cancel: undefined,
      past: [],
      staleSeen: [],
    };
  }
  if (state.status === 'absent' || state.status === 'deleted') return state;
  if (event.type === 'TaskDeleted') return { status: 'deleted', ownerId: state.ownerId };
  if (event.type === 'StaleReportIgnored') {
    return { ...state, staleSeen: [...state.staleSeen, staleKey(event.data.attempt, event.data.workerId)] };
  }
  if (!isActive(state)) return state;
  switch (event.type) {
    case 'TaskAssigned': {
      const { attempt, workerId } = event.data;
      return { ...activeCore(state), status: 'assigned', attempt, workerId };
    }
    case 'TaskStarting':
      if (state.status === 'queued') return state;
      return { ...placedCore(state), status: 'starting', phase: event.data.phase, progress: undefined };
    case 'TaskProgressed': {
      if (state.status !== 'starting' && state.status !== 'running') return state;
      const { at, percent, message } = event.data;
      return { ...state, progress: { at, percent, message } };
    }
    case 'TaskStarted':
      if (state.status === 'queued') return state;
      return { ...placedCore(state), status: 'running', startedAt: event.data.startedAt, progress: undefined };
    case 'ArtifactStored': {
      const { id, attempt, sha256 } = event.data.artifact;
      return { ...state, artifacts: [...state.artifacts.filter((known) => known.id !== id), { id, attempt, sha256 }] };
    }
    case 'TaskCancelRequested': {
      const { requestedBy, graceMs } = event.data;
      return { ...state, cancel: { requestedBy, graceMs } };
    }
    case 'TaskRequeued': {
      const { endedAttempt, nextAttempt, failure, usedRetry, memoryMb = state.memoryMb } = event.data;
      const infrastructure = failure.class === 'infrastructure';
      return {
        ...activeCore(state),
        status: 'queued',
        attempt: nextAttempt,
        retriesUsed: state.retriesUsed + (usedRetry ? 1 : 0),
        infrastructureFailures: state.infrastructureFailures + (infrastructure ? 1 : 0),
        memoryMb,
        past: withPast(state, { attempt: endedAttempt, infrastructure, message: failure.message }),
      };
    }
    case 'TaskSucceeded':
      return ended(state, 'succeeded');
    case 'TaskFailed':
      return ended(state, 'failed');
    case 'TaskCancelled':
      return ended(state, 'cancelled');
    case 'TaskTimedOut':
      return ended(state, 'timed_out');
    default:
      return assertNever(event, 'task event');
  }
}

export function staleKey(attempt: number, workerId: string): string {
  return `${attempt}:${workerId}`;
}

export function isActive(state: TaskState): state is ActiveTask {
  return state.status === 'queued' || isPlaced(state);
}

export function isPlaced(state: TaskState): state is PlacedTask {
  return state.status === 'assigned' || state.status === 'starting' || state.status === 'running';
}

/** Spelled out, because a spread into a spread copies every field twice, for every event of every task. */
function activeCore(state: ActiveTask): Omit<QueuedTask, 'status'> {
  const { ownerId, spec, attempt, retriesUsed, infrastructureFailures, memoryMb, artifacts, past, staleSeen } = state;
  const { cancel } = state;
  return { ownerId, spec, attempt, retriesUsed, infrastructureFailures, memoryMb, artifacts, past, staleSeen, cancel };
}

function placedCore(state: PlacedTask) {
  const { ownerId, spec, attempt, retriesUsed, infrastructureFailures, memoryMb, artifacts, past, staleSeen } = state;
  const { workerId, cancel } = state;
  return {
    ownerId,
    spec,
    attempt,
    retriesUsed,
    infrastructureFailures,
    memoryMb,
    artifacts,
    past,
    staleSeen,
    workerId,
    cancel,
  };
}

function ended(state: ActiveTask, status: EndedTask['status']): EndedTask {
  const { ownerId, attempt, past, staleSeen } = state;
  return {
    status,
    ownerId,
    attempt,
    past,
    staleSeen,
    workerId: state.status === 'queued' ? undefined : state.workerId,
  };
}

function withPast(state: ActiveTask, entry: Omit<PastAttempt, 'workerId'>): readonly PastAttempt[] {
  return state.status === 'queued' ? state.past : [...state.past, { ...entry, workerId: state.workerId }];
}
