import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { Clock } from '@gantry/kernel/clock';
import type { AttemptInput } from '../domain/attempt.state.js';
import { type ContainerRuntime, type PullProgress, RuntimeProblem } from '../runtime/container-runtime.port.js';
import type { GpuCustody } from './gpu-custody.js';
import type { AttemptReports } from './report.publisher.js';
import type { RunnerParts } from './runner-parts.js';
import type { StartSlots } from './start-slots.js';

const REPORT_PULL_EVERY_MS = 1_000;

interface StartParts extends Pick<RunnerParts, 'isLeaseOver'> {
  readonly runtime: ContainerRuntime;
  readonly reports: AttemptReports;
  readonly slots: StartSlots;
  readonly gpus: Pick<GpuCustody, 'take' | 'made'>;
  readonly clock: Clock;
}

/** The way from an assignment to a started container: image, devices, turn, create, start. Tells the state machine how each went. */
export class AttemptStart {
  private readonly imageAbort = new AbortController();
  private readonly createAbort = new AbortController();
  private slot: (() => void) | undefined;
  private lastPullReport = Number.NEGATIVE_INFINITY;
  private pullReports = 0;

  constructor(
    private readonly assignment: AssignEventData<'TaskAssigned'>,
    private readonly parts: StartParts,
    private readonly dispatch: (input: AttemptInput) => void,
  ) {}

  async prepareImage(): Promise<void> {
    const { runtime, clock } = this.parts;
    const onPull = (progress: PullProgress): void => {
      this.dispatch({ type: 'pull-started' });
      // A lost progress report is no harm.
      this.reportPull(progress).catch(() => undefined);
    };
    try {
      await runtime.prepareImage(this.assignment.spec.image, onPull, this.imageAbort.signal);
      this.dispatch({ type: 'image-ready' });
    } catch (error) {
      const { outcome, message } = problemOf(error);
      const shown = outcome === 'image_error' ? outcome : 'infrastructure_error';
      this.dispatch({ type: 'image-failed', outcome: shown, message, at: clock.now() });
    }
  }

  abortImage(): void {
    this.imageAbort.abort();
  }

  /** `onWait` is called if its GPUs are not free yet, with what holds them. */
  async create(prepareOutput: () => string, onWait: (heldBy: string) => void): Promise<void> {
    const { slots, runtime, gpus, clock } = this.parts;
    const { signal } = this.createAbort;
    try {
      // Before its turn: who waits for a device keeps nobody else from starting.
      await gpus.take(this.assignment, onWait, signal);
      this.slot = await slots.acquire(signal);
      if (this.slot === undefined) throw new RuntimeProblem('infrastructure_error', 'The start was called off.');
      const containerId = await runtime.create(this.assignment, prepareOutput());
      gpus.made(this.assignment, containerId);
      this.dispatch({ type: 'created', containerId, at: clock.now() });
    } catch (error) {
      this.dispatch({ type: 'create-failed', ...startProblemOf(error), at: clock.now() });
    }
  }

  abortCreate(): void {
    this.createAbort.abort();
  }

  async start(containerId: string): Promise<void> {
    const { runtime, clock, isLeaseOver } = this.parts;
    try {
      // The agent may have been frozen on the way here: by now another worker may have it.
      if (isLeaseOver(this.assignment.leaseMs))
        throw new RuntimeProblem('infrastructure_error', 'Its lease ended before it was started.');
      const { startedAt } = await runtime.start(containerId);
      this.dispatch({ type: 'started', startedAt });
    } catch (error) {
      this.dispatch({ type: 'start-failed', ...startProblemOf(error), at: clock.now() });
    }
  }

  /** The container runs, or never will: the next one may start. */
  releaseSlot(): void {
    this.slot?.();
  }

  async reportPull({ percent, message }: PullProgress): Promise<void> {
    const now = performance.now();
    const { signal } = this.imageAbort;
    if (now - this.lastPullReport < REPORT_PULL_EVERY_MS || signal.aborted) return;
    this.lastPullReport = now;
    this.pullReports += 1;
    const report = { type: 'pulling', message, ...(percent === undefined ? {} : { percent }) } as const;
    await this.parts.reports.send(
      this.assignment,
      report,
      `pulling:${this.parts.clock.now()}:${this.pullReports}`,
      signal,
    );
  }
}

function problemOf(error: unknown): { outcome: RuntimeProblem['outcome']; message: string } {
  if (error instanceof RuntimeProblem) return { outcome: error.outcome, message: error.message };
  return { outcome: 'infrastructure_error', message: `The worker could not do it: ${(error as Error).message}` };
}

function startProblemOf(error: unknown): { outcome: 'failed_to_start' | 'infrastructure_error'; message: string } {
  const { outcome, message } = problemOf(error);
  return { outcome: outcome === 'failed_to_start' ? outcome : 'infrastructure_error', message };
}
