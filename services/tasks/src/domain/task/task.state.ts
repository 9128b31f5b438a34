import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';
import type { TaskStatus } from '@gantry/contracts/tasks/task-status';

/** An attempt that is over; remembered so that its late reports are told apart from news. */
export interface PastAttempt {
  readonly attempt: number;
  readonly workerId: string;
  /** It ended without (or against) the agent's word: a later report of it is worth a record. */
  readonly infrastructure: boolean;
  readonly message: string;
}

/** What every task that exists has. */
interface Known {
  readonly ownerId: string;
  /** Attempt that is current, or comes next while the task is queued. */
  readonly attempt: number;
  readonly past: readonly PastAttempt[];
  /** `<attempt>:<workerId>` of which a stale report is on record already. */
  readonly staleSeen: readonly string[];
}

interface Active extends Known {
  readonly spec: TaskSpec;
  readonly retriesUsed: number;
  readonly infrastructureFailures: number;
  /** Of the attempt that is current or next, MiB: what the spec asks for, or more after retries out of memory. */
  readonly memoryMb: number;
  readonly artifacts: readonly KnownArtifact[];
  readonly cancel: CancelRequest | undefined;
}

interface KnownArtifact {
  readonly id: string;
  readonly attempt: number;
  readonly sha256: string;
}

interface CancelRequest {
  readonly requestedBy: string;
  readonly graceMs: number;
}

interface OnWorker extends Active {
  readonly workerId: string;
}

export interface Progress {
  readonly at: number;
  readonly percent: number | undefined;
  readonly message: string | undefined;
}

interface AbsentTask {
  readonly status: 'absent';
}
export interface QueuedTask extends Active {
  readonly status: 'queued';
}
interface AssignedTask extends OnWorker {
  readonly status: 'assigned';
}
interface StartingTask extends OnWorker {
  readonly status: 'starting';
  readonly phase: 'accepted' | 'pulling' | 'creating';
  readonly progress: Progress | undefined;
}
interface RunningTask extends OnWorker {
  readonly status: 'running';
  readonly startedAt: number;
  readonly progress: Progress | undefined;
}
/** Keeps no spec: far more ended tasks are cached than active ones. */
export interface EndedTask extends Known {
  readonly status: Extract<TaskStatus, 'succeeded' | 'failed' | 'cancelled' | 'timed_out'>;
  /** Worker of the last attempt; undefined if the task was cancelled while it waited. */
  readonly workerId: string | undefined;
}
interface DeletedTask {
  readonly status: 'deleted';
  readonly ownerId: string;
}

/** On a worker: everything between assignment and end. */
export type PlacedTask = AssignedTask | StartingTask | RunningTask;
export type ActiveTask = QueuedTask | PlacedTask;
export type TaskState = AbsentTask | ActiveTask | EndedTask | DeletedTask;

export const initialTaskState: TaskState = { status: 'absent' };
