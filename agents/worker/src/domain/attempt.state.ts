import type { Report } from '@gantry/contracts/agents/report';

type ExitedReport = Extract<Report['report'], { type: 'exited' }>;

/** Why the agent ends a container that did not end by itself. */
export type Ending =
  | { readonly cause: 'revoked'; readonly reason: 'cancelled' | 'superseded' | 'worker_lost'; readonly graceMs: number }
  | { readonly cause: 'timed_out'; readonly limitSeconds: number; readonly graceMs: number }
  | { readonly cause: 'out_of_storage'; readonly limitMb: number; readonly usedMb: number; readonly graceMs: number }
  | { readonly cause: 'lease_over'; readonly graceMs: number }
  | { readonly cause: 'agent_stopping'; readonly graceMs: number };

/** How a container ended, as the engine tells it. Times are epoch milliseconds. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly finishedAt: number;
  /** The last line on stderr: the container's init says there why it could not run the command. */
  readonly lastErrorLine?: string;
  /** The lease keeper ended it, because the agent had not renewed its lease. */
  readonly leaseEnded?: boolean;
  /** The engine was away when it ended and does not know how: exit code and time are its guess. */
  readonly unseen?: boolean;
}

/** What the `exited` report will say; fixed before logs and files are collected, so that a restart cannot change it. */
export interface AttemptResult {
  readonly outcome: ExitedReport['outcome'];
  readonly exitCode?: number;
  readonly message: string;
  readonly finishedAt: number;
}

/**
 * One attempt on this machine. `containerId` appears once the engine has made the container; a state without it never had one.
 * `stopping` means that the stop signal was asked for and the engine has not yet said that the container is gone.
 */
export type AttemptState =
  | { readonly status: 'accepted' }
  | { readonly status: 'pulling' }
  | { readonly status: 'creating'; readonly containerId?: string; readonly ending?: Ending }
  | { readonly status: 'running'; readonly containerId: string; readonly startedAt: number }
  | {
      readonly status: 'stopping';
      readonly containerId: string;
      readonly startedAt: number;
      readonly ending: Ending;
      readonly killed: boolean;
    }
  | {
      readonly status: 'collecting';
      readonly containerId?: string;
      readonly startedAt?: number;
      readonly result: AttemptResult;
      /** Logs and files are stored; only the final report is open. */
      readonly collected: boolean;
    }
  | { readonly status: 'done' };

/** What happened; times come in as data. */
export type AttemptInput =
  | { readonly type: 'begin' }
  | { readonly type: 'pull-started' }
  | { readonly type: 'image-ready' }
  | {
      readonly type: 'image-failed';
      readonly outcome: 'image_error' | 'infrastructure_error';
      readonly message: string;
      readonly at: number;
    }
  | { readonly type: 'created'; readonly containerId: string; readonly at: number }
  | {
      readonly type: 'create-failed';
      readonly outcome: 'failed_to_start' | 'infrastructure_error';
      readonly message: string;
      readonly at: number;
    }
  | { readonly type: 'started'; readonly startedAt: number }
  | {
      readonly type: 'start-failed';
      readonly outcome: 'failed_to_start' | 'infrastructure_error';
      readonly message: string;
      readonly at: number;
    }
  | { readonly type: 'end'; readonly ending: Ending; readonly at: number }
  | { readonly type: 'grace-over' }
  | { readonly type: 'exited'; readonly exit: ContainerExit }
  | { readonly type: 'container-lost'; readonly message: string; readonly at: number }
  | { readonly type: 'collected' }
  | { readonly type: 'exit-acknowledged' };

/** What the runner must do next. */
export type AttemptEffect =
  | { readonly type: 'report-accepted' }
  | { readonly type: 'report-pulling' }
  | { readonly type: 'prepare-image' }
  | { readonly type: 'abort-image' }
  | { readonly type: 'create' }
  | { readonly type: 'abort-create' }
  | { readonly type: 'start'; readonly containerId: string }
  | { readonly type: 'report-started'; readonly containerId: string; readonly startedAt: number }
  /** Follow logs, wait for the exit, watch time and storage. */
  | { readonly type: 'supervise'; readonly containerId: string; readonly startedAt: number }
  /** SIGTERM now, `grace-over` after `graceMs`. */
  | { readonly type: 'stop'; readonly containerId: string; readonly graceMs: number }
  | { readonly type: 'kill'; readonly containerId: string }
  /** Store the rest of the logs and, if `artifacts`, the files of /output. */
  | { readonly type: 'collect'; readonly artifacts: boolean }
  | { readonly type: 'abort-artifacts' }
  | { readonly type: 'report-exited'; readonly result: AttemptResult }
  | { readonly type: 'clean-up'; readonly containerId?: string };

export interface Step {
  readonly state: AttemptState;
  readonly effects: readonly AttemptEffect[];
}
