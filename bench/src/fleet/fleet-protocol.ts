/** What the driver asks of the fleet's process. */
export interface FleetSettings {
  readonly workers: number;
  readonly cpusPerWorker: number;
  readonly maxTasksPerWorker: number;
  readonly heartbeatMs: number;
  /** How long a simulated task "runs". */
  readonly taskMs: number;
  /** Broker connections that the workers share. */
  readonly connections: number;
}

/** What the fleet's process says: `joined` once, `tally` when asked. */
export type FleetMessage =
  | { readonly type: 'joined' }
  | { readonly type: 'tally'; readonly tally: FleetTally }
  | { readonly type: 'failed'; readonly message: string };

export interface FleetTally {
  readonly received: number;
  readonly finished: number;
  readonly heartbeats: number;
  readonly heartbeatFailures: number;
  /** Milliseconds from the submission (`submittedAt` in the task's labels) to the agent having the assignment. */
  readonly latencies: readonly number[];
}

/** Carries the driver's clock in a task, so that the fleet on the same machine can tell how long the way took. */
export const SUBMITTED_LABEL = 'bench-submitted-at';
