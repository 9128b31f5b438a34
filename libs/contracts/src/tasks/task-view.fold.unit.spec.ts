import { describe, expect, it } from 'vitest';
import type { Commit } from '../messaging/commit.js';
import type { TaskEvent } from './task-events.js';
import { taskSpecSchema } from './task-spec.js';
import { foldTaskCommit } from './task-view.fold.js';
import { type TaskView, taskViewSchema } from './task-view.js';

const spec = taskSpecSchema.parse({ name: 'train', image: 'busybox' });
const usage = { cpuSeconds: 1, peakMemoryMb: 64, durationMs: 1_000 };

/** Folds a history, one commit per event. */
function view(...events: TaskEvent[]): TaskView | undefined {
  return events.reduce<TaskView | undefined>(
    (current, event, index) => foldTaskCommit(current, { commit: commit(index + 1, event) }),
    undefined,
  );
}

function commit(version: number, ...events: TaskEvent[]): Commit {
  return {
    id: `c-${version}`,
    stream: 'TASKS',
    aggregateId: 't-1',
    version,
    schemaVersion: 1,
    occurredAt: version,
    actor: { kind: 'service', id: 'tasks' },
    correlationId: 'r',
    causationId: 'r',
    events,
  };
}

const submitted: TaskEvent = {
  type: 'TaskSubmitted',
  data: { ownerId: 'u-1', ownerName: 'Ada', spec, submittedAt: 100 },
};
const assigned = (attempt: number, workerId = 'w-1'): TaskEvent => ({
  type: 'TaskAssigned',
  data: { attempt, workerId, workerName: `Worker ${workerId}`, leaseMs: 60_000, gpuIds: ['GPU-1'], assignedAt: 110 },
});
const started = (attempt: number): TaskEvent => ({
  type: 'TaskStarted',
  data: { attempt, startedAt: 130, containerId: 'c0ffee' },
});

describe('fold of a task', () => {
  it('goes from queued to succeeded with its attempt, and fits the schema of the view', () => {
    const finished = view(
      submitted,
      assigned(1),
      { type: 'TaskStarting', data: { attempt: 1, phase: 'pulling', at: 120 } },
      { type: 'TaskProgressed', data: { attempt: 1, percent: 40, message: 'pulling 40 %', at: 125 } },
      started(1),
      { type: 'TaskSucceeded', data: { attempt: 1, exitCode: 0, finishedAt: 200, usage } },
    );
    expect(taskViewSchema.parse(finished)).toEqual(finished);
    expect(finished).toMatchObject({
      id: 't-1',
      version: 6,
      status: 'succeeded',
      attempt: 1,
      workerId: 'w-1',
      exitCode: 0,
      createdAt: 100,
      startedAt: 130,
      finishedAt: 200,
      progressPercent: 100,
      message: null,
      failure: null,
      usage,
      attempts: [
        {
          attempt: 1,
          status: 'succeeded',
          gpuIds: ['GPU-1'],
          containerId: 'c0ffee',
          startedAt: 130,
          finishedAt: 200,
          exitCode: 0,
          usage,
        },
      ],
    });
  });

  it('shows each step on the way', () => {
    const history: TaskEvent[] = [
      submitted,
      assigned(1),
      { type: 'TaskStarting', data: { attempt: 1, phase: 'creating', at: 120 } },
      started(1),
    ];
    expect(history.map((_, index) => view(...history.slice(0, index + 1))?.status)).toEqual([
      'queued',
      'assigned',
      'starting',
      'running',
    ]);
    expect(view(...history.slice(0, 3))?.message).toBe('creating');
  });

  it('keeps both attempts of a task that was placed again', () => {
    const again = view(
      submitted,
      assigned(1),
      started(1),
      {
        type: 'TaskRequeued',
        data: {
          endedAttempt: 1,
          nextAttempt: 2,
          failure: { class: 'infrastructure', message: 'The worker was lost.' },
          notBefore: 300,
          at: 250,
          usedRetry: false,
        },
      },
      assigned(2, 'w-2'),
    );
    expect(again).toMatchObject({
      status: 'assigned',
      attempt: 2,
      workerId: 'w-2',
      retriesUsed: 0,
      notBefore: null,
      queuedAt: 250,
    });
    expect(again?.attempts.map(({ attempt, status, workerId }) => ({ attempt, status, workerId }))).toEqual([
      { attempt: 1, status: 'failed', workerId: 'w-1' },
      { attempt: 2, status: 'assigned', workerId: 'w-2' },
    ]);
  });

  it('shows the memory that retries got, and keeps it while nothing changes it', () => {
    const requeued = (endedAttempt: number, memoryMb?: number): TaskEvent => ({
      type: 'TaskRequeued',
      data: {
        endedAttempt,
        nextAttempt: endedAttempt + 1,
        failure: { class: 'out_of_memory', message: 'Used more than 256 MiB.' },
        notBefore: 300,
        at: 250,
        usedRetry: true,
        ...(memoryMb === undefined ? {} : { memoryMb }),
      },
    });
    const same = view(submitted, assigned(1), requeued(1));
    expect(same).not.toHaveProperty('memoryMb');
    const grown = view(submitted, assigned(1), requeued(1, 512));
    expect(grown).toMatchObject({
      memoryMb: 512,
      spec: { resources: { memoryMb: 256 } },
      message: 'attempt 1 ended: Used more than 256 MiB. The next one gets 512 MiB.',
    });
    expect(view(submitted, assigned(1), requeued(1, 512), assigned(2), requeued(2))).toMatchObject({ memoryMb: 512 });
    expect(taskViewSchema.parse(grown)).toEqual(grown);
  });

  it('tells failure, time-out and cancel apart', () => {
    const failure = { class: 'user_exit' as const, message: 'Exit code 3.' };
    expect(
      view(submitted, assigned(1), { type: 'TaskFailed', data: { attempt: 1, failure, exitCode: 3, finishedAt: 9 } }),
    ).toMatchObject({
      status: 'failed',
      exitCode: 3,
      failure,
    });
    expect(
      view(submitted, assigned(1), { type: 'TaskTimedOut', data: { attempt: 1, limitSeconds: 5, finishedAt: 9 } }),
    ).toMatchObject({
      status: 'timed_out',
      failure: { class: 'timeout', message: 'Ran longer than its limit of 5 s.' },
    });
    expect(
      view(
        submitted,
        { type: 'TaskCancelRequested', data: { requestedBy: 'u-1', graceMs: 10, at: 5 } },
        { type: 'TaskCancelled', data: { attempt: 0, finishedAt: 9 } },
      ),
    ).toMatchObject({ status: 'cancelled', cancelRequestedAt: 5, finishedAt: 9, attempts: [] });
  });

  it('ignores a commit that it has, and anything before the submission', () => {
    const once = view(submitted, assigned(1));
    expect(foldTaskCommit(once, { commit: commit(2, assigned(1)) })).toBe(once);
    expect(foldTaskCommit(once, { commit: commit(1, submitted) })).toBe(once);
    expect(foldTaskCommit(undefined, { commit: commit(1, assigned(1)) })).toBeUndefined();
  });

  it('changes nothing but the version for a stale report, and replaces an artifact stored twice', () => {
    const running = view(submitted, assigned(1), started(1));
    const stale = foldTaskCommit(running, {
      commit: commit(4, { type: 'StaleReportIgnored', data: { attempt: 1, workerId: 'w-0', report: 'exited', at: 1 } }),
    });
    expect(stale).toEqual({ ...running, version: 4 });
    const artifact = {
      id: 'a-1',
      attempt: 1,
      path: 'out.txt',
      sizeBytes: 3,
      sha256: '0'.repeat(64),
      mediaType: 'text/plain',
      storedAt: 1,
    };
    const stored = view(
      submitted,
      { type: 'ArtifactStored', data: { artifact } },
      { type: 'ArtifactStored', data: { artifact: { ...artifact, sizeBytes: 4 } } },
    );
    expect(stored?.artifacts).toEqual([{ ...artifact, sizeBytes: 4 }]);
  });
});
