import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { pause } from '@gantry/jetstream/pause';
import { assertNever } from '@gantry/kernel/assert-never';
import type { Logger } from '@gantry/nest-platform/logger';
import { type Observed, resume } from '../domain/attempt.resume.js';
import type {
  AttemptEffect,
  AttemptInput,
  AttemptResult,
  AttemptState,
  Ending,
  Step,
} from '../domain/attempt.state.js';
import { step } from '../domain/attempt.step.js';
import { attemptKey } from './agent-store.js';
import { AttemptLog } from './attempt-log.js';
import { AttemptStart } from './attempt-start.js';
import { AttemptWatch } from './attempt-watch.js';
import { insist } from './insist.js';
import { ranForMs } from './run-time.js';
import type { RunnerParts } from './runner-parts.js';
import { sweepLater } from '../runtime/sweep-later.js';

/** The attempt is reported: an engine that never answers the removal must not keep it in the worker's hands. */
const LONGEST_SWEEP_MS = 30_000;

/** Carries one attempt through its life: does what the state machine asks and tells it what came of it. */
export class AttemptRunner {
  readonly key: string;
  private state: AttemptState = { status: 'accepted' };
  private result: AttemptResult | undefined;
  private readonly inputs: AttemptInput[] = [];
  private stepping = false;
  private readonly detached = new AbortController();
  private readonly artifactAbort = new AbortController();
  private readonly log: AttemptLog;
  private resumed = false;
  private readonly watch: AttemptWatch;
  private readonly launch: AttemptStart;
  /** Set once the lease guard has acted. */
  leaseEnded = false;
  private readonly logger: Logger;

  constructor(
    readonly assignment: AssignEventData<'TaskAssigned'>,
    private readonly parts: RunnerParts,
  ) {
    const { taskId, attempt } = assignment;
    this.key = attemptKey(taskId, attempt);
    this.logger = parts.logger.child({ taskId, attempt });
    this.launch = new AttemptStart(assignment, parts, (input) => this.dispatch(input));
    this.log = new AttemptLog({
      runtime: parts.runtime,
      logger: this.logger,
      signal: this.detached.signal,
      open: () => parts.openLog(assignment, this.detached.signal),
    });
    this.watch = new AttemptWatch(assignment.spec, parts.store.outputFolder(this.key), parts.bootClock, (ending) =>
      this.end(ending),
    );
  }

  get phase(): Heartbeat['running'][number]['phase'] {
    return this.state.status === 'done' ? 'collecting' : this.state.status;
  }

  get containerId(): string | undefined {
    return this.state.status === 'running' || this.state.status === 'stopping' ? this.state.containerId : undefined;
  }

  /** False once nothing of it can still be running here. */
  get holdsContainer(): boolean {
    return this.state.status !== 'collecting' && this.state.status !== 'done';
  }

  /** It was given to this worker, and nothing of it has been seen running. */
  get isUnstarted(): boolean {
    const { status } = this.state;
    return status === 'accepted' || status === 'pulling' || status === 'creating';
  }

  begin(): void {
    this.save();
    this.dispatch({ type: 'begin' });
  }

  resume(state: AttemptState, observed: Observed): void {
    this.resumed = true;
    this.state = state;
    const next = resume(state, observed, this.parts.clock.now());
    // What begins anew waits for its devices like any other: something of the earlier beginning may be left on them.
    if (next.state.status !== 'accepted')
      this.parts.gpus.inherit(this.assignment, 'containerId' in next.state ? next.state.containerId : undefined);
    this.apply(next);
    this.drainInputs();
  }

  end(ending: Ending): void {
    this.dispatch({ type: 'end', ending, at: this.parts.clock.now() });
  }

  /** Lets go without touching the container: the next start of the agent takes it up. */
  detach(): void {
    this.detached.abort();
    this.watch.stop();
    this.launch.abortCreate();
    this.launch.releaseSlot();
  }

  private dispatch(input: AttemptInput): void {
    if (this.detached.signal.aborted) return;
    this.inputs.push(input);
    this.drainInputs();
  }

  private drainInputs(): void {
    if (this.stepping) return;
    this.stepping = true;
    for (let input = this.inputs.shift(); input !== undefined; input = this.inputs.shift())
      this.apply(step(this.state, input));
    this.stepping = false;
  }

  private apply(next: Step): void {
    const before = this.state;
    this.state = next.state;
    if (next.state !== before) {
      this.logger.debug({ from: before.status, to: next.state.status }, 'attempt moved');
      // Written before anything is done about it, so that a restart knows of every intention.
      if (next.state.status !== 'done') this.save();
      if (next.state.status !== 'creating') this.launch.releaseSlot();
    }
    for (const effect of next.effects) {
      // A step that is given up would leave the attempt where it is for ever, and its resources with it.
      void insist(
        () => this.perform(effect),
        this.detached.signal,
        (error) => this.logger.error({ err: error, effect: effect.type }, 'attempt step failed, it is tried again'),
      );
    }
  }

  private save(): void {
    const usage = this.parts.measuredUsage(this.key);
    this.parts.store.saveAttempt(this.key, {
      version: 1,
      assignment: this.assignment,
      state: this.state,
      ...(usage === undefined ? {} : { usage }),
    });
  }

  /** Whatever it is, it can be done again: reports go under one id, and what no longer fits the state does nothing. */
  private async perform(effect: AttemptEffect): Promise<void> {
    const { reports } = this.parts;
    switch (effect.type) {
      case 'report-accepted':
        return reports.send(this.assignment, { type: 'accepted' }, 'accepted', this.detached.signal);
      case 'report-pulling':
        return this.launch.reportPull({ message: 'Pulling the image' });
      case 'prepare-image':
        return this.launch.prepareImage();
      case 'abort-image':
        return this.launch.abortImage();
      case 'create':
        return this.launch.create(
          () => this.parts.store.prepare(this.key),
          (heldBy) => void this.tellWait(heldBy),
        );
      case 'abort-create':
        return this.launch.abortCreate();
      case 'start':
        return this.launch.start(effect.containerId);
      case 'report-started': {
        const { containerId, startedAt } = effect;
        return reports.send(
          this.assignment,
          { type: 'started', startedAt, containerId },
          'started',
          this.detached.signal,
        );
      }
      case 'supervise':
        return this.supervise(effect.containerId, effect.startedAt);
      case 'stop':
        this.watch.afterGrace(effect.graceMs, () => this.dispatch({ type: 'grace-over' }));
        return this.signal(effect.containerId, 'SIGTERM');
      case 'kill':
        return this.signal(effect.containerId, 'SIGKILL');
      case 'collect':
        return this.collect(effect.artifacts);
      case 'abort-artifacts':
        return this.artifactAbort.abort();
      case 'report-exited':
        return this.reportExited(effect.result);
      case 'clean-up':
        return this.cleanUp(effect.containerId);
      default:
        return assertNever(effect, 'effect');
    }
  }

  private async supervise(containerId: string, startedAt: number): Promise<void> {
    const { runtime, clock } = this.parts;
    const { signal } = this.detached;
    this.watch.start(ranForMs(this.key, startedAt, this.resumed, this.parts));
    const followed = this.log.read(containerId);
    const exit = await runtime.wait(containerId, signal);
    if (signal.aborted) return;
    this.watch.stop();
    await followed;
    if (signal.aborted) return;
    if (exit === undefined) {
      this.dispatch({
        type: 'container-lost',
        message: 'The container was removed by somebody else while it ran.',
        at: clock.now(),
      });
      return;
    }
    const lastErrorLine = await this.log.lastErrorLine();
    this.dispatch({ type: 'exited', exit: lastErrorLine === undefined ? exit : { ...exit, lastErrorLine } });
  }

  /** Until the engine has taken it; but no SIGTERM any more once the grace is over. */
  private signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const send = async (): Promise<void> => {
      if (this.state.status !== 'stopping' || (signal === 'SIGTERM' && this.state.killed)) return;
      await this.parts.runtime.signal(containerId, signal);
    };
    return insist(send, this.detached.signal, (error) =>
      this.logger.warn({ err: error, signal }, 'container could not be signalled yet'),
    );
  }

  private async collect(artifacts: boolean): Promise<void> {
    if (this.state.status !== 'collecting') return;
    const { containerId, startedAt, result } = this.state;
    const { log } = this;
    // What an earlier life of the agent had asked for may have begun although it never came to write that down.
    const mayHaveRun = startedAt !== undefined || this.resumed;
    if (containerId !== undefined && result.exitCode === undefined) await this.endUnseen(containerId);
    if (containerId !== undefined && mayHaveRun) await log.read(containerId);
    if (containerId !== undefined && startedAt === undefined) await this.parts.runtime.remove(containerId);
    if (!this.resumed && (result.outcome !== 'exited' || result.exitCode !== 0)) await log.mark(result.message);
    await this.awaitGpus();
    if (artifacts) await this.keepFiles();
    await log.end();
    this.dispatch({ type: 'collected' });
  }

  /** Nobody saw it end: an engine may still be about to start it, or have forgotten that it did, and its processes run on. */
  private async endUnseen(containerId: string): Promise<void> {
    const { runtime } = this.parts;
    await runtime.signal(containerId, 'SIGKILL');
    await runtime.endProcesses(containerId);
  }

  private async keepFiles(): Promise<void> {
    const { spec, taskId, attempt } = this.assignment;
    await this.parts.uploader.collect({
      taskId,
      attempt,
      folder: this.parts.store.outputFolder(this.key),
      storageMb: spec.resources.storageMb,
      tell: (text) => this.log.system(text),
      signal: AbortSignal.any([this.artifactAbort.signal, this.detached.signal]),
    });
  }

  /** The end is reported only when the devices are free: who reads it gives them to the next task. */
  private awaitGpus(): Promise<void> {
    const tell = (pids: readonly number[]): Promise<void> =>
      this.log.system(`The container has ended; waiting until its GPUs are free (held by process ${pids.join(', ')}).`);
    return this.parts.gpus.release(this.assignment, tell, this.detached.signal);
  }

  private async tellWait(heldBy: string): Promise<void> {
    try {
      await this.log.system(`The container is not started yet; waiting until its GPUs are free (${heldBy}).`);
    } catch (error) {
      this.logger.warn({ err: error }, 'the wait for GPUs could not be told');
    }
  }

  private async reportExited(result: AttemptResult): Promise<void> {
    if (this.state.status !== 'collecting') return;
    const { startedAt, containerId } = this.state;
    const usage = this.parts.measuredUsage(this.key);
    this.result = result;
    await this.parts.reports.send(
      this.assignment,
      {
        type: 'exited',
        ...result,
        ...(startedAt === undefined ? {} : { startedAt }),
        ...(containerId === undefined ? {} : { containerId }),
        ...(usage === undefined || startedAt === undefined
          ? {}
          : { usage: { ...usage, durationMs: Math.max(0, result.finishedAt - startedAt) } }),
      },
      'exited',
      this.detached.signal,
    );
    this.dispatch({ type: 'exit-acknowledged' });
  }

  private async cleanUp(containerId: string | undefined): Promise<void> {
    const { store, runtime, clock } = this.parts;
    await store.markFinished(this.key, clock.now());
    const sweep = async (): Promise<void> => {
      if (containerId !== undefined) await runtime.remove(containerId);
      await store.forget(this.key);
    };
    const swept = new AbortController();
    void sweep()
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'attempt could not be cleaned up yet');
        void sweepLater(sweep, this.logger);
      })
      .finally(() => swept.abort());
    await pause(LONGEST_SWEEP_MS, swept.signal);
    this.logger.info({ outcome: this.result?.outcome, exitCode: this.result?.exitCode }, 'attempt over');
    this.detached.abort();
    this.parts.gpus.leave(this.assignment);
    this.parts.onDone(this.key, this.result);
  }
}
