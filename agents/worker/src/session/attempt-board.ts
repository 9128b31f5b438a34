import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { ReportBody } from '@gantry/contracts/agents/report';
import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { neverRan } from '../domain/attempt-result.js';
import type { Observed } from '../domain/attempt.resume.js';
import type { AttemptResult, Ending } from '../domain/attempt.state.js';
import { sortAssignments } from '../domain/assignment-batch.js';
import { checkLease, isTooLateToStart, type Silence } from '../domain/lease.js';
import type { SampledTask } from '../telemetry/host/task.sampler.js';
import { attemptKey } from './agent-store.js';
import { AttemptRunner } from './attempt-runner.js';
import { insist } from './insist.js';
import type { RunnerParts } from './runner-parts.js';

export interface BoardOptions {
  readonly parts: Omit<RunnerParts, 'onDone'>;
  /** Why this machine cannot run the assignment at all; undefined = it can. */
  refuse(assignment: AssignEventData<'TaskAssigned'>): string | undefined;
  onDone(key: string, result: AttemptResult | undefined): void;
}

/** Times on one monotonic clock; see `checkLease`. */
export interface LeaseState {
  readonly at: number;
  readonly now: number;
  readonly isPatient: boolean;
}

/** Every attempt on this machine. */
export class AttemptBoard {
  private readonly runners = new Map<string, AttemptRunner>();
  private readonly parts: RunnerParts;
  private readonly detached = new AbortController();

  constructor(private readonly options: BoardOptions) {
    this.parts = {
      ...options.parts,
      onDone: (key, result) => {
        this.runners.delete(key);
        options.onDone(key, result);
      },
    };
  }

  /** Takes up what an earlier life of the agent left behind, and removes containers that belong to nothing. */
  async resume(): Promise<number> {
    const { store, runtime, gpus, logger } = this.parts;
    const containers = new Map((await runtime.list()).map((known) => [attemptKey(known.taskId, known.attempt), known]));
    const records = store.attempts();
    for (const { key, record } of records) {
      const known = containers.get(key);
      containers.delete(key);
      if (store.isFinished(key)) {
        // Reported and acknowledged; only the cleaning was cut short.
        if (known !== undefined) await runtime.remove(known.containerId);
        await store.forget(key);
        continue;
      }
      let observed: Observed = known?.observed ?? { is: 'absent' };
      // Made, but the engine was never asked to start it: what begins anew makes its own, and what was to end would leave it behind.
      if (record.state.status === 'creating' && record.state.containerId === undefined && observed.is === 'created') {
        await runtime.remove(observed.containerId);
        observed = { is: 'absent' };
      }
      const runner = new AttemptRunner(record.assignment, this.parts);
      this.runners.set(key, runner);
      runner.resume(record.state, observed);
    }
    for (const { containerId, taskId, attempt } of containers.values()) {
      logger.warn({ taskId, attempt, containerId }, 'container of an unknown attempt removed');
      gpus.disown(taskId, attempt, containerId);
      await runtime.remove(containerId);
    }
    // What is still running of an earlier life has been removed: what is on a device now is all that can be.
    gpus.watch();
    return this.runners.size;
  }

  apply(events: readonly AssignEvent[], silence: Silence): void {
    const { logger } = this.parts;
    const { run, stale, cancelled, revoke } = sortAssignments(events, silence);
    for (const assignment of stale)
      this.reject(
        assignment,
        'The worker was cut off for so long that the scheduler may have given the task to another one.',
      );
    for (const assignment of cancelled) this.endUnstarted(assignment);
    for (const assignment of run) this.accept(assignment);
    for (const { taskId, attempt, reason, graceMs } of revoke) {
      logger.info({ taskId, attempt, reason }, 'assignment revoked');
      this.runners.get(attemptKey(taskId, attempt))?.end({ cause: 'revoked', reason, graceMs });
    }
  }

  private accept(assignment: AssignEventData<'TaskAssigned'>): void {
    const { taskId, attempt } = assignment;
    const key = attemptKey(taskId, attempt);
    const { store } = this.parts;
    if (this.runners.has(key) || store.isFinished(key)) return;
    const problem = this.options.refuse(assignment);
    if (problem !== undefined) {
      this.reject(assignment, problem);
      return;
    }
    for (const older of this.runners.values()) {
      if (older.assignment.taskId === taskId && older.assignment.attempt < attempt) {
        older.end({ cause: 'revoked', reason: 'superseded', graceMs: 0 });
      }
    }
    const runner = new AttemptRunner(assignment, this.parts);
    this.runners.set(key, runner);
    runner.begin();
  }

  private reject(assignment: AssignEventData<'TaskAssigned'>, message: string): void {
    this.decline(assignment, { type: 'rejected', message });
  }

  private endUnstarted(assignment: AssignEventData<'TaskAssigned'>): void {
    const ending = { cause: 'revoked', reason: 'cancelled', graceMs: 0 } as const;
    this.decline(assignment, { type: 'exited', ...neverRan(ending, this.parts.clock.now()) });
  }

  /** Says the last word about an attempt that never begins here. */
  private decline(
    assignment: AssignEventData<'TaskAssigned'>,
    report: Extract<ReportBody, { type: 'rejected' | 'exited' }>,
  ): void {
    const { store, reports, clock, logger } = this.parts;
    const { taskId, attempt } = assignment;
    const key = attemptKey(taskId, attempt);
    if (this.runners.has(key) || store.isFinished(key)) return;
    const remembered = store.markFinished(key, clock.now());
    logger.warn({ taskId, attempt, report: report.type, reason: report.message }, 'assignment not taken');
    const { signal } = this.detached;
    const send = (): Promise<void> => reports.send(assignment, report, report.type, signal);
    void remembered.then(() =>
      insist(send, signal, (error) => {
        logger.error({ err: error, taskId, attempt }, 'that an assignment was not taken could not be reported yet');
      }),
    );
  }

  /** Ends every attempt whose lease is about to run out. */
  checkLeases({ at, now, isPatient }: LeaseState): void {
    for (const runner of this.runners.values()) {
      if (!runner.holdsContainer || runner.leaseEnded) continue;
      const { over, graceMs } = checkLease(at, now, runner.assignment.leaseMs, isPatient);
      if (!over) continue;
      const { taskId, attempt } = runner.assignment;
      this.parts.logger.error({ taskId, attempt }, 'lease cannot be renewed: container is stopped');
      runner.leaseEnded = true;
      runner.end({ cause: 'lease_over', graceMs });
    }
  }

  /**
   * To be called with the renewal before, ahead of each new one. What was not started when its lease ended may have been given up and
   * placed again while nobody here could look, because the agent was frozen or just beginning: the new renewal comes too late for it.
   */
  endLapsed({ at, now }: Omit<LeaseState, 'isPatient'>): void {
    for (const runner of this.runners.values()) {
      const { taskId, attempt, leaseMs } = runner.assignment;
      if (!runner.isUnstarted || runner.leaseEnded || !isTooLateToStart(at, now, leaseMs)) continue;
      this.parts.logger.warn({ taskId, attempt }, 'lease ended before the start: it is not started');
      runner.leaseEnded = true;
      runner.end({ cause: 'lease_over', graceMs: 0 });
    }
  }

  get shortestLeaseMs(): number {
    let shortest = Number.POSITIVE_INFINITY;
    for (const { assignment } of this.runners.values()) shortest = Math.min(shortest, assignment.leaseMs);
    return shortest;
  }

  running(): Heartbeat['running'] {
    return [...this.runners.values()].map(({ key, assignment: { taskId, attempt }, phase }) => {
      const gpuIds = [...this.parts.gpus.claimedBy(key)];
      return { taskId, attempt, phase, ...(gpuIds.length === 0 ? {} : { gpuIds }) };
    });
  }

  taskOfGpu(gpuId: string): string | null {
    for (const { assignment, holdsContainer } of this.runners.values()) {
      if (holdsContainer && assignment.gpuIds.includes(gpuId)) return assignment.taskId;
    }
    return null;
  }

  sampled(): SampledTask[] {
    return [...this.runners.values()].flatMap(({ key, containerId, assignment: { taskId, attempt, spec } }) =>
      containerId === undefined
        ? []
        : [
            {
              key,
              taskId,
              attempt,
              memoryLimitMb: spec.resources.memoryMb,
              mainPid: () => this.parts.runtime.mainPid(containerId),
            },
          ],
    );
  }

  endAll(ending: Ending): void {
    for (const runner of this.runners.values()) runner.end(ending);
  }

  get size(): number {
    return this.runners.size;
  }

  detach(): void {
    this.detached.abort();
    for (const runner of this.runners.values()) runner.detach();
  }
}
