import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import { goneAfterMs } from '@gantry/contracts/messaging/lease-timing';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { AssignEvent } from '@gantry/contracts/scheduling/assign-events';
import { heartbeat, workerSpec } from './samples.js';

/** What the agent tells the tasks service about one attempt. */
export interface ModelledReport {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly end: 'succeeded' | 'cancelled' | 'lease-over' | 'rejected';
}

/**
 * An agent as small as its promises: it runs what it is assigned, and whatever it cannot renew in time has ended before its lease.
 * Its reports wait until it is connected.
 */
export class ModelledAgent {
  readonly running = new Map<string, number>();
  readonly reports: ModelledReport[] = [];
  connected = true;
  private renewedAt = 0;
  /** The longest it went without a renewal since it last read its assignments. */
  private longestGap = 0;
  private beats = 0;
  private assignSequence = 0;
  private inbox: StoredCommit<AssignEvent>[] = [];

  constructor(
    readonly workerId: string,
    private readonly leaseMs: number,
  ) {}

  deliver(stored: StoredCommit<AssignEvent>): void {
    this.inbox.push(stored);
  }

  /** Time passes: a lease that could not be renewed ends its containers. */
  passTo(now: number): void {
    if (now - this.renewedAt < goneAfterMs(this.leaseMs)) return;
    for (const [taskId, attempt] of this.running) this.report(taskId, attempt, 'lease-over');
    this.running.clear();
  }

  /** Undefined while it is cut off. */
  beat(now: number): Heartbeat | undefined {
    if (!this.connected) return undefined;
    this.longestGap = Math.max(this.longestGap, now - this.renewedAt);
    this.renewedAt = now;
    this.beats += 1;
    const running = [...this.running].map(([taskId, attempt]) => ({ taskId, attempt, phase: 'running' as const }));
    const spec = workerSpec({ name: this.workerId, capacity: { cpu: 3, memoryMb: 4_096, storageMb: 10_000 } });
    return heartbeat(this.workerId, {
      sequence: this.beats,
      sentAt: now,
      spec,
      running,
      assignSequence: this.assignSequence,
    });
  }

  /** Reads what the scheduler wrote; what may have been given up meanwhile it does not start. */
  read(now: number): void {
    if (!this.connected) return;
    const gap = Math.max(this.longestGap, now - this.renewedAt);
    const tooLate = gap >= goneAfterMs(this.leaseMs);
    for (const { commit, streamSequence } of this.inbox) {
      for (const event of commit.events) {
        if (event.type === 'TaskAssigned') {
          const { taskId, attempt } = event.data;
          if (tooLate) this.report(taskId, attempt, 'rejected');
          else this.running.set(taskId, attempt);
        } else if (event.type === 'AssignmentRevoked' && this.running.get(event.data.taskId) === event.data.attempt) {
          this.end(event.data.taskId, 'cancelled');
        }
      }
      this.assignSequence = streamSequence;
    }
    this.inbox = [];
    this.longestGap = 0;
  }

  end(taskId: string, end: ModelledReport['end']): void {
    const attempt = this.running.get(taskId);
    if (attempt === undefined) return;
    this.running.delete(taskId);
    this.report(taskId, attempt, end);
  }

  private report(taskId: string, attempt: number, end: ModelledReport['end']): void {
    this.reports.push({ taskId, attempt, workerId: this.workerId, end });
  }
}
