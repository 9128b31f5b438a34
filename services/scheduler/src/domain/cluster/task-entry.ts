import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { HeldSpec } from '@gantry/contracts/tasks/packed-spec';
import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';
import type { Shape } from '../placement/shape.js';
import type { QueuedTask } from '../placement/queued-task.js';

/** An attempt that a worker was given (or is being given). */
export interface Assignment {
  readonly attempt: number;
  readonly workerId: string;
  readonly workerName: string;
  readonly gpuIds: readonly string[];
  readonly assignedAt: number;
  /** As it was promised to the agent: what is set for later assignments does not change it. */
  readonly leaseMs: number;
  /** Position in ASSIGN; undefined until the append is acknowledged, 0 if only TASKS remembers it. */
  sequence: number | undefined;
  /** TASKS has it. */
  recorded: boolean;
  /** A revocation was handed to the outbox or seen in ASSIGN; its position once known. */
  revoked: { sequence: number | undefined } | undefined;
  /** Heartbeats in a row in which a worker that knows of it did not list it. */
  missed: number;
  /** Heartbeats in a row of a worker that has not read what was written for it about this attempt. */
  unread: number;
  /** Heartbeats in a row that show it as going on, although its revocation is stored. */
  unheeded: number;
  /** When its loss was last announced. */
  lossReportedAt: number | undefined;
}

/** What the scheduler remembers of a task that is not over, or whose worker may not have let go of it yet. */
export interface TaskEntry {
  readonly taskId: string;
  readonly ownerId: string;
  /** As the attempt that is current or next is to run: with its memory, without what only concerns retries. */
  spec: HeldSpec;
  shape: Shape;
  /** Stream sequence of its submission: the queue's order, kept over all attempts. */
  readonly order: number;
  version: number;
  /** Attempt that is current or next. */
  attempt: number;
  queuedAt: number;
  notBefore: number;
  avoidWorkerId: string | undefined;
  cancel: { readonly graceMs: number } | undefined;
  /** Ended in TASKS; kept only until the worker has let go. */
  closed: boolean;
  assignment: Assignment | undefined;
  /** Its place in the queue. */
  waiting: QueuedTask | undefined;
}

export interface Revocation {
  readonly workerId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly graceMs: number;
  readonly reason: AssignEventData<'AssignmentRevoked'>['reason'];
}

/** A cancelled task that has no worker and gets none. */
export interface Withdrawal {
  readonly taskId: string;
  readonly attempt: number;
}

export function newAssignment(
  data: Pick<Assignment, 'attempt' | 'workerId' | 'workerName' | 'gpuIds' | 'assignedAt' | 'leaseMs'>,
  sequence: number | undefined,
  recorded: boolean,
): Assignment {
  const { attempt, workerId, workerName, gpuIds, assignedAt, leaseMs } = data;
  return {
    attempt,
    workerId,
    workerName,
    gpuIds,
    assignedAt,
    leaseMs,
    sequence,
    recorded,
    revoked: undefined,
    missed: 0,
    unread: 0,
    unheeded: 0,
    lossReportedAt: undefined,
  };
}

/** Retries are not an agent's business, and agents of an older version refuse fields that they do not know. */
export function specToRun({ retryMemoryFactor: _factor, retryMemoryMaxMb: _limit, ...spec }: TaskSpec): TaskSpec {
  return spec;
}
