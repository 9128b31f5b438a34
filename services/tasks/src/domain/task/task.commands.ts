import type { EarlierReport, ReportBody } from '@gantry/contracts/agents/report';
import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';
import type { Artifact } from '@gantry/contracts/tasks/task-status';

/** Times are epoch milliseconds. `jitter` is a random number in [0, 1) drawn by the caller. */
export interface SubmitTask {
  readonly type: 'SubmitTask';
  readonly ownerId: string;
  readonly ownerName: string;
  readonly spec: TaskSpec;
  readonly retryOf?: string;
  readonly at: number;
}

/** The scheduler decided it; this service writes it into the task's history. */
export interface RecordAssignment {
  readonly type: 'RecordAssignment';
  readonly attempt: number;
  readonly workerId: string;
  readonly workerName: string;
  readonly leaseMs: number;
  readonly gpuIds: readonly string[];
  readonly assignedAt: number;
}

/** `at`: the agent's clock; `now`: this service's, which waiting times are counted from. */
export interface RecordReport {
  readonly type: 'RecordReport';
  readonly workerId: string;
  readonly attempt: number;
  readonly at: number;
  readonly now: number;
  readonly jitter: number;
  readonly report: ReportBody;
  /** Of the attempt that is reported on, if the history may not have it yet: both become one commit. */
  readonly assignment?: RecordAssignment | undefined;
  /** News of the attempt's start that came with it, oldest first. */
  readonly earlier?: readonly EarlierReport[] | undefined;
}

export interface RequestCancel {
  readonly type: 'RequestCancel';
  readonly requestedBy: string;
  readonly reason?: string;
  readonly graceMs: number;
  readonly at: number;
}

/** The scheduler has taken the waiting task out of its queue: the attempt will never have a worker. */
export interface RecordWithdrawal {
  readonly type: 'RecordWithdrawal';
  readonly attempt: number;
  readonly now: number;
}

/** The scheduler gave the attempt up: its worker is lost, or came back without it. */
export interface RecordAttemptLost {
  readonly type: 'RecordAttemptLost';
  readonly attempt: number;
  readonly workerId: string;
  readonly message: string;
  readonly now: number;
  readonly jitter: number;
}

export interface RecordArtifact {
  readonly type: 'RecordArtifact';
  readonly workerId: string;
  readonly artifact: Artifact;
}

export interface DeleteTask {
  readonly type: 'DeleteTask';
  readonly deletedBy: string;
  readonly at: number;
}

export type TaskCommand =
  | SubmitTask
  | RecordAssignment
  | RecordReport
  | RequestCancel
  | RecordWithdrawal
  | RecordAttemptLost
  | RecordArtifact
  | DeleteTask;
