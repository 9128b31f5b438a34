import { packSpec, PackedSpec, type SpecRest } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-store.port';
import { shapeOf, type Shape } from '../placement/shape.js';
import type { EarlyAssignment } from './early-assignments.js';
import { newAssignment, type Assignment, type Revocation, type TaskEntry } from './task-entry.js';

/** Raise it whenever the form of the entries changes, or a fold gives another result. */
export const BOARD_SNAPSHOT_VERSION = 4;

/** An assignment as ASSIGN and TASKS show it: without what only this process knows of it. */
interface StoredAssignment extends Pick<
  Assignment,
  'attempt' | 'workerId' | 'workerName' | 'gpuIds' | 'assignedAt' | 'leaseMs' | 'recorded'
> {
  readonly sequence: number;
  readonly revokedAt?: number;
}

/** What most waiting tasks of an owner have in common. */
interface EntryRest extends Pick<TaskEntry, 'ownerId' | 'version' | 'attempt' | 'notBefore' | 'closed'> {
  readonly avoidWorkerId?: string;
  readonly cancel?: TaskEntry['cancel'];
  /** Its assignment may have to be revoked. */
  readonly attention: boolean;
}

type Own = readonly [
  taskId: string,
  order: number,
  queuedAt: number,
  name: string,
  assignment: StoredAssignment | null,
];

/** A task out of a snapshot: what full reading of the streams would know. */
export interface RestoredEntry {
  readonly entry: TaskEntry;
  readonly assignment: Assignment | undefined;
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
export function storedEntryOf(entry: TaskEntry, attention: boolean): SnapshotEntry | undefined {
  const { taskId, ownerId, order, version, attempt, queuedAt, notBefore, closed, assignment, avoidWorkerId, cancel } =
    entry;
  const stored = assignment === undefined ? null : storedAssignmentOf(assignment);
  if (stored === null && closed) return undefined;
  const revoking = assignment?.revoked !== undefined && assignment.revoked.sequence === undefined;
  const rest: EntryRest = {
    ownerId,
    version,
    attempt,
    notBefore,
    closed,
    ...(avoidWorkerId === undefined ? {} : { avoidWorkerId }),
    ...(cancel === undefined ? {} : { cancel }),
    attention: attention || revoking,
  };
  const spec = packSpec(entry.spec);
  const own: Own = [taskId, order, queuedAt, spec.name, stored];
  return { own, shared: [rest, spec.rest], text: spec.details };
}

/** Puts entries together again; tasks that share a shape share one object. */
export class EntryReader {
  private readonly shapes = new Map<SpecRest, Shape>();

  read({ own, shared, text }: SnapshotEntry): RestoredEntry {
    const [taskId, order, queuedAt, name, assignment] = own as Own;
    const [rest, specRest] = shared as [EntryRest, SpecRest];
    const { ownerId, version, attempt, notBefore, avoidWorkerId, cancel, closed, attention } = rest;
    const entry: TaskEntry = {
      taskId,
      ownerId,
      spec: new PackedSpec(name, specRest, text),
      shape: this.shapeOf(specRest),
      order,
      version,
      attempt,
      queuedAt,
      notBefore,
      avoidWorkerId,
      cancel,
      closed,
      assignment: undefined,
      waiting: undefined,
    };
    return { entry, assignment: assignment === null ? undefined : restoredAssignment(assignment), attention };
  }

  private shapeOf(rest: SpecRest): Shape {
    let shape = this.shapes.get(rest);
    if (shape === undefined) this.shapes.set(rest, (shape = shapeOf(rest)));
    return shape;
  }
}

function restoredAssignment({ sequence, recorded, revokedAt, ...data }: StoredAssignment): Assignment {
  const assignment = newAssignment(data, sequence, recorded);
  if (revokedAt !== undefined) assignment.revoked = { sequence: revokedAt };
  return assignment;
}

function storedAssignmentOf(assignment: Assignment): StoredAssignment | null {
  const { attempt, workerId, workerName, gpuIds, assignedAt, leaseMs, recorded, sequence, revoked } = assignment;
  if (sequence === undefined) return null;
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
