import type { WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { Observed } from '../domain/attempt.resume.js';
import type { ContainerExit } from '../domain/attempt.state.js';
import type { LogCursor, RawLine } from '../domain/logs/raw-line.js';

/** Takes lines in the order of reading. A promise is awaited before more is read: that is the back-pressure. */
export interface LogSink {
  /** `cursor`: where reading may go on after these lines; undefined = use an earlier one. */
  write(lines: readonly RawLine[], cursor: LogCursor | undefined): void | Promise<void>;
  /** A line of the agent's own, for the user. */
  system(text: string): Promise<void>;
  /** The same, said once however often the log is read. */
  mark(text: string): Promise<void>;
  /** From where another life of the agent would read: what comes before it will never be asked for again. */
  keptCursor(): LogCursor;
}

export interface PullProgress {
  /** 0-100, if the sizes are known. */
  readonly percent?: number;
  readonly message: string;
}

export interface KnownContainer {
  readonly containerId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly observed: Exclude<Observed, { is: 'absent' }>;
}

/**
 * What runs containers. Every call survives a restart of the engine or fails with `RuntimeProblem`; `wait` and `followLogs` go on
 * by themselves when the engine comes back. Aborting a signal ends a call early without an error unless said otherwise.
 */
export interface ContainerRuntime {
  readonly kind: WorkerSpec['runtime'];
  /** The engine's version; throws while it does not answer. */
  version(): Promise<string>;
  /** References of the images on the machine, newest first. */
  images(): Promise<string[]>;
  /** Makes the image available; `onPull` is called only if it must be pulled. Rejects with `RuntimeProblem`, also on abort. */
  prepareImage(image: string, onPull: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** Makes the container but does not start it; replaces a leftover of the same attempt. */
  create(assignment: AssignEventData<'TaskAssigned'>, outputFolder: string): Promise<string>;
  start(containerId: string): Promise<{ startedAt: number }>;
  /** Resolves when the container has ended; `undefined` if it is gone or the signal aborted. */
  wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined>;
  /** Sends a signal; harmless if the container is not running. */
  signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Feeds everything the container writes, from the cursor on, and resolves when it has ended and nothing is left to read. */
  followLogs(containerId: string, cursor: LogCursor | undefined, sink: LogSink, signal: AbortSignal): Promise<void>;
  /** All containers of this agent, running or not. */
  list(): Promise<KnownContainer[]>;
  /** Removes the container, killing it if it runs; harmless if it is gone. */
  remove(containerId: string): Promise<void>;
  /**
   * Ends what is left in the container's control group, whatever the engine says of it, and resolves when nothing is; rejects if
   * something does not end. Only where a lease keeper can work: elsewhere the agent may not, or there is nothing that it could see.
   */
  endProcesses(containerId: string): Promise<void>;
  /** Process id on this machine of the container's first process; undefined if it does not run. */
  mainPid(containerId: string): Promise<number | undefined>;
  /** Name of the control group that will hold every process of the container, known from its making on; undefined if it has none. */
  controlGroup(containerId: string): string | undefined;
}

/** Why the runtime could not do it; the outcome is what the task's history will say. */
export class RuntimeProblem extends Error {
  override readonly name = 'RuntimeProblem';

  constructor(
    readonly outcome: 'image_error' | 'failed_to_start' | 'infrastructure_error',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
