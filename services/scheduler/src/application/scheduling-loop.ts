import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { waitingTasks, type AssignEvent, type SchedEvent } from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { Logger } from '@gantry/nest-platform/logger';
import type { BoardRest } from '../domain/cluster/board-snapshot.js';
import type { Cluster } from '../domain/cluster/cluster.js';
import type { Revocation, Withdrawal } from '../domain/cluster/task-entry.js';
import { AssignmentOutbox, type SubjectHead } from './assignment-outbox.js';
import { LossAnnouncer } from './loss-announcer.js';
import { ClockSteps } from './clock-steps.js';
import type { PendingReports, StoredHeartbeats, Timers } from './scheduling.ports.js';

export interface SchedulingPorts {
  readonly cluster: Cluster;
  readonly assignStore: EventStore<AssignEvent>;
  readonly schedStore: EventStore<SchedEvent>;
  readonly pendingReports: PendingReports;
  readonly storedHeartbeats: StoredHeartbeats;
  readonly clock: Clock;
  /** Milliseconds on a clock that nobody can set; from any moment on. */
  monotonic(): number;
  readonly ids: IdSource;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How often time alone (leases, delayed tasks) is looked at, milliseconds. */
  readonly sweepMs: number;
}

/** What is not about one open task. Comes last, and shares nothing with other entries. */
interface SnapshotEnd {
  readonly rest: BoardRest;
  readonly heads: readonly SubjectHead[];
}

/** Among the streams that are not complete. */
const GAP = 'a gap';

/** Decisions of one pass: enough to be fast, few enough to let events in between. */
const DECISIONS_PER_PASS = 1_000;

/**
 * Drives the cluster: takes events in, and as the leader turns its decisions into commits. All events that arrive together
 * are decided together, in the next turn of the event loop; a standby only keeps its picture up to date.
 */
export class SchedulingLoop {
  private readonly outbox: AssignmentOutbox;
  private readonly announcer: LossAnnouncer;
  private readonly clockSteps: ClockSteps;
  private leading = false;
  private stopped = false;
  private passPlanned = false;
  private cancelSweep: (() => void) | undefined;
  private cancelDue: (() => void) | undefined;
  private decisions = 0;
  private stillHeld: () => boolean = () => false;
  private readonly incomplete = new Set<string>();

  constructor(private readonly ports: SchedulingPorts) {
    const { cluster, clock, ids, logger } = ports;
    this.clockSteps = new ClockSteps(clock, () => ports.monotonic());
    this.outbox = new AssignmentOutbox({
      store: ports.assignStore,
      clock,
      ids,
      logger,
      onStored: (stored) => this.onAssignCommit(stored),
      onRefused: (workerId, events) => this.onRefused(workerId, events),
      onDeposed: (epoch) => {
        logger.warn({ epoch }, 'a newer leader has begun');
        this.follow();
      },
    });
    this.announcer = new LossAnnouncer({
      cluster,
      store: ports.schedStore,
      pendingReports: ports.pendingReports,
      storedHeartbeats: ports.storedHeartbeats,
      onHeartbeat: (heartbeat) => this.onHeartbeat(heartbeat, this.now()),
      mayDecide: () => this.leading && this.stillHeld(),
      clock,
      ids,
      logger,
    });
  }

  get isLeading(): boolean {
    return this.leading;
  }

  /** Assignments decided by this process. */
  get decisionCount(): number {
    return this.decisions;
  }

  /** What was learned from TASKS and ASSIGN so far; see `TaskBoard.snapshot`. */
  snapshot(): Iterable<SnapshotEntry> {
    const { rest, entries } = this.ports.cluster.board.snapshot();
    const heads = this.outbox.heads();
    return (function* () {
      yield* entries;
      const end: SnapshotEnd = { rest: rest(), heads };
      yield { key: '', numbers: [], shared: [], texts: [JSON.stringify(end)] };
    })();
  }

  /** Takes in a page of `snapshot`: all of them in the same order, before anything else. `since`: first sequence that ASSIGN still holds. */
  restore(page: SnapshotPage, since: number): void {
    const { board } = this.ports.cluster;
    if (page.layout.shared > 0) {
      board.restore(page);
      return;
    }
    const end = JSON.parse(page.text(0, 0)) as SnapshotEnd;
    board.endRestore(end.rest, this.now());
    this.outbox.restore(end.heads, since);
  }

  onTaskCommit(stored: StoredCommit<TaskEvent>): void {
    this.ports.cluster.board.applyTaskCommit(stored, this.ports.clock.now());
    this.plan();
  }

  /** From the reader of ASSIGN, and at once for this process's own commits. */
  onAssignCommit(stored: StoredCommit<AssignEvent>): void {
    this.outbox.observe(stored);
    this.ports.cluster.board.applyAssignCommit(stored);
    this.plan();
  }

  onHeartbeat(heartbeat: Heartbeat, seenAt: number): void {
    const now = this.now();
    const { joined, strays, behind } = this.ports.cluster.observeHeartbeat(heartbeat, seenAt, now);
    if (!this.leading) return;
    this.outbox.welcome(heartbeat.workerId, behind);
    if (joined) {
      this.ports.logger.info({ workerId: heartbeat.workerId, session: heartbeat.session }, 'worker joined');
      this.announcer.joined(heartbeat.workerId, heartbeat.spec.name, heartbeat.session, now);
    }
    for (const stray of strays) this.revoke(stray);
    this.plan();
  }

  /** The broker is reachable (again): every lease counts from now. */
  onConnected(): void {
    this.ports.cluster.fleet.listen(this.now());
    this.plan();
  }

  /** A stream is read again from its start: until it is `onComplete`, tasks that are long over look like new ones. */
  onStartOver(stream: string): void {
    this.incomplete.add(stream);
    this.ports.logger.warn({ stream }, 'stream is read again from its start; nothing is decided meanwhile');
  }

  onComplete(stream: string): void {
    if (!this.incomplete.delete(stream)) return;
    this.ports.logger.info({ stream }, 'stream is read to its end again');
    this.plan();
  }

  /** Ends of tasks have left TASKS unread: until `onGapRepaired`, tasks that are long over look as if they waited. */
  onGap(): void {
    this.incomplete.add(GAP);
  }

  /** See `TaskBoard.closeRemoved`. */
  closeRemoved(isRemoved: (sequence: number) => boolean): void {
    const closed = this.ports.cluster.board.closeRemoved(isRemoved);
    this.ports.logger.info({ closed }, 'tasks that had ended unread are closed');
  }

  onGapRepaired(): void {
    this.incomplete.delete(GAP);
    this.plan();
  }

  onDisconnected(): void {
    this.ports.cluster.fleet.stopListening();
  }

  /**
   * Takes over: fences the subjects of all known workers, then decides. Answers false if leadership was lost meanwhile.
   */
  async lead(epoch: number, leader: string, stillHeld: () => boolean): Promise<boolean> {
    const { cluster, logger, storedHeartbeats } = this.ports;
    const term = { epoch, leader };
    // Asked of the broker too: whom the last leader knew is fenced, even if this process has not read of it yet.
    const stored = await storedHeartbeats.workerIds();
    const workers = new Set([waitingTasks, ...this.outbox.knownWorkers(), ...cluster.fleet.workerIds(), ...stored]);
    await Promise.all([...workers].map((workerId) => this.outbox.fence(workerId, term)));
    await this.outbox.idle();
    if (this.stopped || !stillHeld()) return false;
    cluster.board.refuseUnstored();
    this.stillHeld = stillHeld;
    this.leading = true;
    this.outbox.start(term);
    // Whoever joined while the others were being fenced.
    for (const workerId of cluster.fleet.workerIds()) this.outbox.welcome(workerId);
    logger.info({ epoch, workers: workers.size, queued: cluster.engine.waiting.size }, 'leading');
    this.plan();
    this.sweep();
    return true;
  }

  follow(): void {
    if (!this.leading) return;
    this.leading = false;
    this.cancelSweep?.();
    this.outbox.stop();
    this.ports.logger.warn({}, 'no longer leading');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelDue?.();
    this.cancelSweep?.();
    const wasLeading = this.leading;
    this.leading = false;
    if (!wasLeading) return;
    this.outbox.stop();
    await this.outbox.idle();
    await this.announcer.idle();
  }

  private plan(): void {
    if (!this.leading || this.passPlanned) return;
    this.passPlanned = true;
    this.ports.timers.soon(() => this.pass());
  }

  private pass(): void {
    this.passPlanned = false;
    // After a long pause of the process the lease may be over: decide nothing until it has been renewed (see `sweep`).
    if (!this.leading || this.incomplete.size > 0 || !this.stillHeld()) return;
    const { cluster } = this.ports;
    for (const revocation of cluster.board.recalls.takeRevocations()) this.revoke(revocation);
    const now = this.now();
    for (const withdrawal of cluster.board.recalls.takeWithdrawals(now)) this.withdraw(withdrawal, now);
    const assigned = cluster.decide(now, DECISIONS_PER_PASS);
    this.decisions += assigned.length;
    for (const data of assigned) this.outbox.enqueue(data.workerId, { type: 'TaskAssigned', data });
    if (cluster.engine.hasReady) this.plan();
    this.planDue(now);
  }

  private planDue(now: number): void {
    this.cancelDue?.();
    this.cancelDue = undefined;
    const dueAt = this.ports.cluster.board.nextDueAt();
    if (dueAt !== undefined)
      this.cancelDue = this.ports.timers.after(Math.min(Math.max(1, dueAt - now), 60_000), () => this.plan());
  }

  private sweep(): void {
    if (!this.leading) return;
    // Nobody is called lost on the word of a process that was paused and may have been replaced meanwhile.
    if (this.stillHeld()) this.announcer.sweep(this.now());
    this.plan();
    this.cancelSweep = this.ports.timers.after(this.ports.sweepMs, () => this.sweep());
  }

  /** The time of day, after what was noted in it has followed a step of it. */
  private now(): number {
    const stepMs = this.clockSteps.take();
    if (stepMs !== 0) {
      this.ports.cluster.fleet.clockStepped(stepMs);
      this.ports.cluster.board.clockStepped(stepMs);
      this.ports.logger.warn({ stepMs }, 'the clock of this machine was set');
    }
    return this.ports.clock.now();
  }

  private revoke({ workerId, taskId, attempt, graceMs, reason }: Revocation): void {
    const revokedAt = this.ports.clock.now();
    this.outbox.enqueue(workerId, { type: 'AssignmentRevoked', data: { taskId, attempt, graceMs, reason, revokedAt } });
  }

  private withdraw({ taskId, attempt }: Withdrawal, withdrawnAt: number): void {
    this.outbox.enqueue(waitingTasks, { type: 'TaskWithdrawn', data: { taskId, attempt, withdrawnAt } });
  }

  private onRefused(workerId: string, events: readonly AssignEvent[]): void {
    const { board } = this.ports.cluster;
    for (const event of events) {
      if (event.type === 'TaskAssigned') board.refuse(event.data.taskId, event.data.attempt);
      else if (event.type === 'AssignmentRevoked') board.recalls.retryRevocation({ workerId, ...event.data });
      else if (event.type === 'TaskWithdrawn') board.recalls.retryWithdrawal(event.data.taskId);
    }
    this.plan();
  }
}
