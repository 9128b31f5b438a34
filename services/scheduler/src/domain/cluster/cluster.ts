import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { timing as leaseBounds } from '@gantry/contracts/messaging/timing';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { restOf, unpackSpec } from '@gantry/contracts/tasks/packed-spec';
import { Fleet } from '../fleet/fleet.js';
import { leaseMsOf, withoutLease } from '../fleet/task-lease.js';
import type { FleetTiming } from '../fleet/worker-record.js';
import { PlacementEngine, type PolicyChoice } from '../placement/placement-engine.js';
import { StrayAttempts } from './stray-attempts.js';
import { TaskBoard } from './task-board.js';
import type { Assignment, Revocation, TaskEntry } from './task-entry.js';

/** Heartbeats in a row without a task before its attempt counts as lost: its last report may still be on the way. */
const MISSED_BEFORE_LOSS = 3;
/**
 * Heartbeats in a row after which the stream is taken to hold no more what a worker was to read: it keeps a day, and a worker may
 * be cut off for longer under a long lease.
 */
const BEATS_BEFORE_REPEAT = 6;
/** A loss that changed nothing is announced again after this: the first one may have overtaken the assignment's record. */
const REPEAT_LOSS_AFTER_MS = 30_000;

type RunningPhase = Heartbeat['running'][number]['phase'];

export interface Loss {
  readonly kind: 'worker' | 'assignments';
  /** False: the agent lives and has lost these attempts. */
  readonly leaseOver: boolean;
  readonly workerId: string;
  readonly lastHeartbeatAt: number;
  readonly reason: string;
  readonly tasks: readonly { readonly taskId: string; readonly attempt: number }[];
}

export interface HeartbeatOutcome {
  readonly joined: boolean;
  /** Attempts that the worker runs although they are not (or no longer) its own. */
  readonly strays: readonly Revocation[];
  /** It should have read more by now: anything that is written for it next shows it, and us, that there is nothing before it. */
  readonly behind: boolean;
}

/**
 * Everything the scheduler knows and decides, without I/O and without a clock: events, heartbeats and times go in;
 * assignments, revocations and losses come out. The same inputs in the same order give the same outputs, so a recorded
 * history can be replayed through it.
 */
export class Cluster {
  readonly engine: PlacementEngine;
  readonly board: TaskBoard;
  readonly fleet: Fleet;
  private readonly strays: StrayAttempts;
  /** Workers that failed to list a task often enough to look closer. */
  private readonly forgetful = new Set<string>();

  constructor(
    policy: PolicyChoice,
    private readonly timing: FleetTiming,
  ) {
    this.engine = new PlacementEngine(policy);
    this.board = new TaskBoard(this.engine);
    this.fleet = new Fleet(this.engine, timing);
    this.strays = new StrayAttempts((taskId) => this.board.get(taskId));
  }

  observeHeartbeat(heartbeat: Heartbeat, seenAt: number, now: number): HeartbeatOutcome {
    const { joined, fresh } = this.fleet.observe(heartbeat, seenAt, now);
    if (!fresh) return { joined: false, strays: [], behind: false };
    const behind = this.checkMissing(heartbeat);
    const { revocations, heldGpuIds } = this.strays.observe(heartbeat);
    this.engine.setHeldGpus(heartbeat.workerId, heldGpuIds);
    return { joined, strays: revocations, behind };
  }

  /** Places what fits now. The assignments are held in memory until they are stored or refused. */
  decide(now: number, limit: number): AssignEventData<'TaskAssigned'>[] {
    this.fleet.refresh(now);
    this.board.releaseDue(now);
    const decisions = this.engine.decide(limit, (taskId) => this.board.get(taskId)!.attempt);
    return decisions.map((decision) => {
      const workerName = this.fleet.nameOf(decision.workerId);
      const leaseMs = leaseMsOf(restOf(this.board.get(decision.taskId)!.spec), this.timing);
      const entry = this.board.assign(decision, workerName, leaseMs, now);
      return {
        taskId: entry.taskId,
        attempt: entry.attempt,
        ownerId: entry.ownerId,
        spec: withoutLease(unpackSpec(entry.spec)),
        workerId: decision.workerId,
        workerName,
        gpuIds: [...decision.gpuIds],
        leaseMs,
        assignedAt: now,
      };
    });
  }

  /** Attempts whose worker is gone or has lost them. Each stays due until `markReported`. */
  findLosses(now: number): Loss[] {
    const losses: Loss[] = [];
    for (const workerId of new Set([...this.fleet.workerIds(), ...this.engine.ledger.workers()])) {
      const lost = this.fleet.isLost(workerId, now);
      const silent = this.fleet.isLeaseOver(workerId, leaseBounds.shortestLeaseMs, now);
      if (!lost && !silent && !this.forgetful.has(workerId)) continue;
      const due = this.lossesOn(workerId, now);
      const lastHeartbeatAt = this.fleet.seenAt(workerId);
      if (!lost) {
        const overdue = due.filter((entry) => this.isLeaseOver(entry, workerId, now));
        const missing = due.filter((entry) => !overdue.includes(entry));
        if (overdue.length > 0)
          losses.push(
            lossOf('assignments', workerId, lastHeartbeatAt, 'No heartbeat for the lease of the task.', overdue),
          );
        if (missing.length > 0)
          losses.push({
            ...lossOf('assignments', workerId, lastHeartbeatAt, 'The agent no longer has these tasks.', missing),
            leaseOver: false,
          });
      } else if (!this.fleet.isLossAnnounced(workerId) && this.fleet.heartbeat(workerId) !== undefined) {
        losses.push(lossOf('worker', workerId, lastHeartbeatAt, 'No heartbeat for the lease time.', due));
      } else if (due.length > 0) {
        losses.push(
          lossOf(
            lastHeartbeatAt === 0 ? 'worker' : 'assignments',
            workerId,
            lastHeartbeatAt,
            'The worker is lost.',
            due,
          ),
        );
      }
    }
    this.fleet.forget(now);
    return losses;
  }

  markReported(loss: Loss, now: number): void {
    if (loss.kind === 'worker') this.fleet.markLossAnnounced(loss.workerId);
    for (const { taskId, attempt } of loss.tasks) {
      const assignment = this.board.get(taskId)?.assignment;
      if (assignment?.attempt === attempt) assignment.lossReportedAt = now;
    }
  }

  /** Looked at again after the newest heartbeat was asked for: it renews every lease of its worker at once. */
  isStillLost({ kind, workerId, tasks }: Loss, now: number): boolean {
    if (kind === 'worker') return this.fleet.isLost(workerId, now);
    return tasks.every(({ taskId }) => {
      const entry = this.board.get(taskId);
      return entry === undefined || this.isLeaseOver(entry, workerId, now);
    });
  }

  private isLeaseOver({ spec, assignment }: TaskEntry, workerId: string, now: number): boolean {
    return this.fleet.isLeaseOver(workerId, assignment?.leaseMs ?? leaseMsOf(restOf(spec), this.timing), now);
  }

  private lossesOn(workerId: string, now: number): TaskEntry[] {
    const due: TaskEntry[] = [];
    for (const { taskId } of [...this.engine.ledger.reservationsOn(workerId)]) {
      const entry = this.board.get(taskId)!;
      const { assignment } = entry;
      if (assignment?.sequence === undefined) continue;
      const over = this.isLeaseOver(entry, workerId, now);
      if (entry.closed) {
        if (over) this.board.dropClosed(entry);
        continue;
      }
      const repeatable =
        assignment.lossReportedAt === undefined || now - assignment.lossReportedAt >= REPEAT_LOSS_AFTER_MS;
      if (repeatable && (over || assignment.missed >= MISSED_BEFORE_LOSS)) due.push(entry);
    }
    return due;
  }

  /** Answers whether the worker is behind. */
  private checkMissing(heartbeat: Heartbeat): boolean {
    this.forgetful.delete(heartbeat.workerId);
    let behind = false;
    const running = new Map(heartbeat.running.map((one) => [`${one.taskId}/${one.attempt}`, one]));
    for (const { taskId } of [...this.engine.ledger.reservationsOn(heartbeat.workerId)]) {
      const entry = this.board.get(taskId)!;
      const { assignment } = entry;
      if (assignment === undefined) continue;
      const shown = running.get(`${taskId}/${assignment.attempt}`);
      if (shown !== undefined) {
        assignment.missed = 0;
        this.checkHeeded(entry, assignment, shown.phase);
        continue;
      }
      const written = entry.closed ? assignment.revoked?.sequence : assignment.sequence;
      if (written === undefined) continue;
      if (heartbeat.assignSequence < written) {
        assignment.unread += 1;
        if (assignment.unread % BEATS_BEFORE_REPEAT === 0) behind = true;
        continue;
      }
      assignment.unread = 0;
      if (entry.closed) {
        this.board.dropClosed(entry);
        continue;
      }
      assignment.missed += 1;
      if (assignment.missed >= MISSED_BEFORE_LOSS) this.forgetful.add(heartbeat.workerId);
    }
    return behind;
  }

  /** A revocation that an agent lets pass by so often never reached it. */
  private checkHeeded({ taskId }: TaskEntry, assignment: Assignment, phase: RunningPhase): void {
    const heeded = assignment.revoked?.sequence === undefined || phase === 'stopping' || phase === 'collecting';
    assignment.unheeded = heeded ? 0 : assignment.unheeded + 1;
    if (assignment.unheeded >= BEATS_BEFORE_REPEAT) this.board.recalls.revokeAgain(taskId, assignment);
  }
}

function lossOf(
  kind: Loss['kind'],
  workerId: string,
  lastHeartbeatAt: number,
  reason: string,
  due: readonly TaskEntry[],
): Loss {
  const tasks = due.map(({ taskId, assignment }) => ({ taskId, attempt: assignment!.attempt }));
  return { kind, leaseOver: true, workerId, lastHeartbeatAt, reason, tasks };
}
