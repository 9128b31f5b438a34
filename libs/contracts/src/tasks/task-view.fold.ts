import { assertNever } from '@gantry/kernel/assert-never';
import type { StoredCommit } from '../messaging/commit.js';
import type { TaskEvent } from './task-events.js';
import type { AttemptView, TaskView } from './task-view.js';

/**
 * Folds one commit of TASKS into the view. Pure, and the only place that turns task events into what readers see:
 * tasks, telemetry, scheduler and gateway all use it, so a live view, a list row and a page from the archive agree.
 * A commit that is already in the view (same or lower version) changes nothing.
 */
export function foldTaskCommit(view: TaskView | undefined, stored: Pick<StoredCommit, 'commit'>): TaskView | undefined {
  const { commit } = stored;
  if (view !== undefined && commit.version <= view.version) return view;
  let next = view;
  for (const event of commit.events as readonly TaskEvent[]) next = foldTaskEvent(next, commit.aggregateId, event);
  return next === undefined ? undefined : { ...next, version: commit.version };
}

function foldTaskEvent(view: TaskView | undefined, id: string, event: TaskEvent): TaskView | undefined {
  if (event.type === 'TaskSubmitted') {
    const { data } = event;
    return {
      id,
      version: 0,
      ownerId: data.ownerId,
      ownerName: data.ownerName,
      spec: data.spec,
      retryOf: data.retryOf ?? null,
      status: 'queued',
      attempt: 1,
      attempts: [],
      message: null,
      progressPercent: null,
      workerId: null,
      workerName: null,
      exitCode: null,
      failure: null,
      cancelRequestedAt: null,
      createdAt: data.submittedAt,
      queuedAt: data.submittedAt,
      notBefore: null,
      startedAt: null,
      finishedAt: null,
      usage: null,
      retriesUsed: 0,
      artifacts: [],
      deleted: false,
    };
  }
  if (view === undefined) return undefined;
  switch (event.type) {
    case 'TaskAssigned': {
      const { attempt, workerId, workerName, gpuIds, assignedAt } = event.data;
      const entry: AttemptView = {
        attempt,
        workerId,
        workerName,
        gpuIds,
        status: 'assigned',
        assignedAt,
        startedAt: null,
        finishedAt: null,
        containerId: null,
        exitCode: null,
        failure: null,
        usage: null,
      };
      return {
        ...view,
        status: 'assigned',
        attempt,
        workerId,
        workerName,
        message: null,
        notBefore: null,
        attempts: [...view.attempts, entry],
      };
    }
    case 'TaskStarting':
      return {
        ...withAttempt(view, event.data.attempt, { status: 'starting' }),
        status: 'starting',
        message: event.data.phase,
      };
    case 'TaskProgressed':
      return {
        ...view,
        progressPercent: event.data.percent ?? view.progressPercent,
        message: event.data.message ?? view.message,
      };
    case 'TaskStarted': {
      const { attempt, startedAt, containerId } = event.data;
      return {
        ...withAttempt(view, attempt, { status: 'running', startedAt, containerId }),
        status: 'running',
        startedAt,
        message: null,
        progressPercent: null,
      };
    }
    case 'ArtifactStored': {
      const { artifact } = event.data;
      return { ...view, artifacts: [...view.artifacts.filter((known) => known.id !== artifact.id), artifact] };
    }
    case 'TaskCancelRequested':
      return { ...view, cancelRequestedAt: event.data.at, message: 'cancelling' };
    case 'TaskSucceeded': {
      const { attempt, exitCode, finishedAt, usage = null } = event.data;
      return {
        ...withAttempt(view, attempt, { status: 'succeeded', exitCode, finishedAt, usage }),
        status: 'succeeded',
        exitCode,
        finishedAt,
        usage,
        failure: null,
        message: null,
        progressPercent: 100,
      };
    }
    case 'TaskFailed': {
      const { attempt, exitCode = null, failure, finishedAt, usage = null } = event.data;
      return {
        ...withAttempt(view, attempt, { status: 'failed', exitCode, failure, finishedAt, usage }),
        status: 'failed',
        exitCode,
        failure,
        finishedAt,
        usage,
        message: null,
      };
    }
    case 'TaskCancelled': {
      const { attempt, finishedAt, usage = null } = event.data;
      return {
        ...withAttempt(view, attempt, { status: 'cancelled', finishedAt, usage }),
        status: 'cancelled',
        finishedAt,
        usage,
        message: null,
      };
    }
    case 'TaskTimedOut': {
      const { attempt, finishedAt, limitSeconds, usage = null } = event.data;
      const failure = { class: 'timeout' as const, message: `Ran longer than its limit of ${limitSeconds} s.` };
      return {
        ...withAttempt(view, attempt, { status: 'timed_out', finishedAt, usage, failure }),
        status: 'timed_out',
        failure,
        finishedAt,
        usage,
        message: null,
      };
    }
    case 'TaskRequeued': {
      const {
        endedAttempt,
        nextAttempt,
        failure,
        exitCode = null,
        notBefore,
        at,
        usage = null,
        usedRetry,
        memoryMb,
      } = event.data;
      return {
        ...withAttempt(view, endedAttempt, { status: 'failed', failure, exitCode, finishedAt: at, usage }),
        status: 'queued',
        attempt: nextAttempt,
        workerId: null,
        workerName: null,
        startedAt: null,
        progressPercent: null,
        queuedAt: at,
        notBefore,
        message: `attempt ${endedAttempt} ended: ${failure.message}${
          memoryMb === undefined ? '' : ` The next one gets ${memoryMb} MiB.`
        }`,
        retriesUsed: view.retriesUsed + (usedRetry ? 1 : 0),
        ...(memoryMb === undefined ? {} : { memoryMb }),
      };
    }
    case 'StaleReportIgnored':
      return view;
    case 'TaskDeleted':
      return { ...view, deleted: true };
    default:
      return assertNever(event, 'task event');
  }
}

function withAttempt(view: TaskView, attempt: number, change: Partial<AttemptView>): TaskView {
  return {
    ...view,
    attempts: view.attempts.map((entry) => (entry.attempt === attempt ? { ...entry, ...change } : entry)),
  };
}
