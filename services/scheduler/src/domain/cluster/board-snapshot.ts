import type { EarlyAssignment } from './early-assignments.js';
import { newAssignment, type Assignment, type Revocation, type TaskEntry } from './task-entry.js';

/** Raise it whenever the form of the entries changes, or a fold gives another result. */
export const BOARD_SNAPSHOT_VERSION = 2;

/** An assignment as ASSIGN and TASKS show it: without what only this process knows of it. */
interface StoredAssignment extends Pick<
  Assignment,
  'attempt' | 'workerId' | 'workerName' | 'gpuIds' | 'assignedAt' | 'leaseMs' | 'recorded'
> {
  readonly sequence: number;
  readonly revokedAt?: number;
}

/** A task of the board as a snapshot keeps it: what full reading of the streams would know. */
export interface StoredEntry extends Omit<TaskEntry, 'shape' | 'assignment' | 'avoidWorkerId' | 'cancel'> {
  readonly avoidWorkerId?: string;
  readonly cancel?: TaskEntry['cancel'];
  readonly assignment?: StoredAssignment;
  /** Its assignment may have to be revoked. */
  readonly attention: boolean;
}

/** What does not belong to one open task. */
export interface BoardRest {
  readonly early: readonly EarlyAssignment[];
  readonly extra: readonly Revocation[];
}

/**
 * An assignment that is still on its way to the broker is left out: if it arrives, the tail of ASSIGN shows it; if not, it never was.
 * The same holds for a revocation, which then is due again. Undefined for an ended task of which nothing is left then.
 */
export function storedEntryOf(entry: TaskEntry, attention: boolean): StoredEntry | undefined {
  const { shape: _derived, assignment, avoidWorkerId, cancel, ...kept } = entry;
  const stored = assignment === undefined ? undefined : storedAssignmentOf(assignment);
  if (stored === undefined && entry.closed) return undefined;
  const revoking = assignment?.revoked !== undefined && assignment.revoked.sequence === undefined;
  return {
    ...kept,
    ...(avoidWorkerId === undefined ? {} : { avoidWorkerId }),
    ...(cancel === undefined ? {} : { cancel }),
    ...(stored === undefined ? {} : { assignment: stored }),
    attention: attention || revoking,
  };
}

export function restoredAssignment({ sequence, recorded, revokedAt, ...data }: StoredAssignment): Assignment {
  const assignment = newAssignment(data, sequence, recorded);
  if (revokedAt !== undefined) assignment.revoked = { sequence: revokedAt };
  return assignment;
}

function storedAssignmentOf(assignment: Assignment): StoredAssignment | undefined {
  const { attempt, workerId, workerName, gpuIds, assignedAt, leaseMs, recorded, sequence, revoked } = assignment;
  if (sequence === undefined) return undefined;
  const revokedAt = revoked?.sequence;
  return {
    attempt,
    workerId,
    workerName,
    gpuIds,
    assignedAt,
    leaseMs,
    recorded,
    sequence,
    ...(revokedAt === undefined ? {} : { revokedAt }),
  };
}
