import { timing } from '@gantry/contracts/messaging/timing';
import type { Assignment, Revocation, TaskEntry, Withdrawal } from './task-entry.js';
import { Withdrawals } from './withdrawals.js';

/**
 * What has to be said about attempts that must not run (any longer): to a worker that has one (revocation), or to the tasks
 * service of a cancelled task that no worker has (withdrawal). Each is handed out once, and handed back if it could not be stored.
 */
export class Recalls {
  /** Tasks whose assignment may have to be revoked, or of which it has to be said that there is none. */
  private readonly noted = new Set<string>();
  /** Of attempts that are nobody's any more. */
  private others: Revocation[] = [];
  private readonly withdrawals = new Withdrawals();

  constructor(private readonly entries: Pick<ReadonlyMap<string, TaskEntry>, 'get'>) {}

  note(taskId: string): void {
    this.noted.add(taskId);
  }

  isNoted(taskId: string): boolean {
    return this.noted.has(taskId);
  }

  /** A standby never hands anything out: it would remember every task that was ever cancelled. */
  forget(taskId: string): void {
    this.noted.delete(taskId);
    this.withdrawals.forget(taskId);
  }

  /** Another worker has the attempt. */
  supersede(taskId: string, { workerId, attempt }: Pick<Assignment, 'workerId' | 'attempt'>): void {
    this.others.push({ workerId, taskId, attempt, graceMs: 0, reason: 'superseded' });
  }

  /** Those of attempts that are nobody's, which no entry shows. */
  listOthers(): readonly Revocation[] {
    return [...this.others];
  }

  restoreOthers(revocations: readonly Revocation[]): void {
    this.others.push(...revocations);
  }

  /**
   * Only a leader that has fenced all workers may ask: it alone knows that no assignment is on its way. One that led to nothing is
   * handed out again after a while.
   */
  takeWithdrawals(now: number): Withdrawal[] {
    const due: Withdrawal[] = [];
    for (const taskId of [...this.noted, ...this.withdrawals.takeOverdue(now)]) {
      const entry = this.entries.get(taskId);
      if (entry === undefined || !isWithdrawn(entry)) continue;
      this.noted.delete(taskId);
      this.withdrawals.told(taskId, now);
      due.push({ taskId, attempt: entry.attempt });
    }
    return due;
  }

  retryWithdrawal(taskId: string): void {
    this.withdrawals.forget(taskId);
    this.noted.add(taskId);
  }

  takeRevocations(): Revocation[] {
    const due = this.others;
    this.others = [];
    for (const taskId of this.noted) {
      const entry = this.entries.get(taskId);
      const assignment = entry?.assignment;
      // An assignment still on its way to the broker is revoked as soon as it is there.
      if (assignment !== undefined && assignment.sequence === undefined) continue;
      if (entry !== undefined && isWithdrawn(entry)) continue;
      this.noted.delete(taskId);
      if (entry === undefined || assignment === undefined || assignment.revoked !== undefined) continue;
      assignment.revoked = { sequence: undefined };
      due.push({
        workerId: assignment.workerId,
        taskId,
        attempt: assignment.attempt,
        graceMs: entry.cancel?.graceMs ?? timing.defaultCancelGraceMs,
        reason: entry.closed ? 'superseded' : 'cancelled',
      });
    }
    return due;
  }

  retryRevocation(revocation: Revocation): void {
    const assignment = this.entries.get(revocation.taskId)?.assignment;
    if (assignment?.workerId === revocation.workerId && assignment.attempt === revocation.attempt)
      this.revokeAgain(revocation.taskId, assignment);
    else this.others.push(revocation);
  }

  /** The revocation of this assignment is due once more. */
  revokeAgain(taskId: string, assignment: Assignment): void {
    assignment.revoked = undefined;
    assignment.unheeded = 0;
    this.noted.add(taskId);
  }

  /** For a new leadership: of what an earlier one had handed out nobody knows whether it was stored. */
  takeBack(held: Iterable<string>): void {
    for (const taskId of held) {
      const assignment = this.entries.get(taskId)?.assignment;
      if (assignment?.revoked !== undefined && assignment.revoked.sequence === undefined)
        this.revokeAgain(taskId, assignment);
    }
    for (const taskId of this.withdrawals.takeAll()) this.noted.add(taskId);
  }

  clockStepped(milliseconds: number): void {
    this.withdrawals.clockStepped(milliseconds);
  }
}

/** Its end was asked for while it had no worker: it is in no queue any more. */
export function isWithdrawn({ cancel, closed, assignment }: TaskEntry): boolean {
  return cancel !== undefined && !closed && assignment === undefined;
}
