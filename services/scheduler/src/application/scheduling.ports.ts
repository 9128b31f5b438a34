import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';

/** Port for timers, so that tests decide when time passes. */
export interface Timers {
  /** Calls back once after so many milliseconds; the answer cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls back when the events that are waiting now have been handled. */
  soon(callback: () => void): void;
}

export const systemTimers: Timers = {
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};

/** Port: reports of agents that the tasks service has not consumed yet. */
export interface PendingReports {
  /** True if a report about this task waits; then nothing may be said to be lost yet. */
  has(workerId: string, taskId: string): Promise<boolean>;
}

/** Port: what the broker has acknowledged to agents, which may be more than has been read here. */
export interface StoredHeartbeats {
  newest(workerId: string): Promise<Heartbeat | undefined>;
  /** Everybody who has one. */
  workerIds(): Promise<string[]>;
}

/** Port: leader election. */
export interface LeaderLease {
  readonly epoch: number;
  readonly held: boolean;
  acquire(): Promise<boolean>;
  /** Goes on with an epoch above one that was met; false if a newer leader holds the lease. */
  raise(met: number): Promise<boolean>;
  release(): Promise<void>;
}
