import type { PlannedTask } from './workload.js';
import type { Beat } from './witness.js';

/** One event of a task as the public API tells it. */
export interface HistoryEvent {
  readonly version: number;
  readonly type: string;
  readonly data: unknown;
}

export interface ObservedTask {
  readonly id: string;
  readonly status: string;
  readonly attempt: number;
  readonly exitCode: number | null;
  readonly failureClass: string | null;
  readonly artifacts: readonly { readonly attempt: number; readonly path: string; readonly sha256: string }[];
  readonly history: readonly HistoryEvent[];
  /** Lines of the log store by attempt, without those that the system itself adds. */
  readonly logs: ReadonlyMap<number, readonly string[]>;
}

export interface Submission {
  readonly planned: PlannedTask;
  /** Every id that an accepted submission under this key was answered with. */
  readonly ids: readonly string[];
  /** When the API was first seen to call it cancelled, seconds since the machine's start. */
  readonly cancelledAt?: number;
}

export interface ObservedWorker {
  readonly id: string;
  readonly allocated: { readonly cpu: number; readonly memoryMb: number; readonly storageMb: number };
  readonly runningTasks: number;
  readonly allocatedGpus: number;
}

/** A disturbance as it was done; seconds since the machine's start. */
export interface DoneFault {
  readonly kind: string;
  readonly target: string;
  readonly how?: string;
  /** Seconds by which a clock was set. */
  readonly step?: number;
  /** As the API calls the agent that was the target. */
  readonly workerId?: string;
  readonly from: number;
  readonly to: number;
}

/** All that the checker knows: what the public API answered, what the witness has, what the machine still holds. */
export interface Observations {
  readonly submissions: readonly Submission[];
  /** Ids of the list of tasks, all pages. */
  readonly listed: readonly string[];
  readonly tasks: readonly ObservedTask[];
  readonly workers: readonly ObservedWorker[];
  readonly witness: ReadonlyMap<string, readonly Beat[]>;
  /** Containers, sandboxes and control groups that exist although no task does; each named. */
  readonly leftovers: readonly string[];
  readonly faults: readonly DoneFault[];
}

export interface Violation {
  readonly rule: string;
  readonly taskId?: string;
  readonly detail: string;
}
