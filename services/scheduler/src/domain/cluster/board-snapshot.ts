import { packSpec, PackedSpec, type SpecRest } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { shapeOf, type Shape } from '../placement/shape.js';
import type { EarlyAssignment } from './early-assignments.js';
import { newAssignment, type Assignment, type Revocation, type TaskEntry } from './task-entry.js';

/** Raise it whenever the form of the entries changes, or a fold gives another result. */
export const BOARD_SNAPSHOT_VERSION = 5;

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

const numbers = { order: 0, queuedAt: 1 } as const;
const shared = { rest: 0, spec: 1 } as const;
const texts = { name: 0, details: 1, assignment: 2 } as const;

/** What a page tells of the task in one of its rows. */
export const rowOf = {
  order(page: SnapshotPage, row: number): number {
    return page.number(numbers.order, row);
  },

  queuedAt(page: SnapshotPage, row: number): number {
    return page.number(numbers.queuedAt, row);
  },

  /** Which of the page's parts `rest` is; see `onlyWaits`. */
  restPlace(page: SnapshotPage, row: number): number {
    return page.place(shared.rest, row);
  },

  spec(page: SnapshotPage, row: number): SpecRest {
    return page.shared(shared.spec, row) as SpecRest;
  },

  specPlace(page: SnapshotPage, row: number): number {
    return page.place(shared.spec, row);
  },

  isAssigned(page: SnapshotPage, row: number): boolean {
    return page.hasText(texts.assignment, row);
  },
};

/** Of a part of a page: whether a task with it that has no assignment stands in the queue, and nothing is due to be said about it. */
export function onlyWaits(part: object): boolean {
  const { closed, attention, notBefore, cancel }: Partial<EntryRest> = part;
  return closed === false && attention === false && notBefore === 0 && cancel === undefined;
}

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
  return {
    key: taskId,
    numbers: [order, queuedAt],
    shared: [rest, spec.rest],
    texts: [spec.name, spec.details, stored === null ? '' : JSON.stringify(stored)],
  };
}

/** Puts entries together again; tasks that share a shape share one object. */
export class EntryReader {
  private readonly shapes = new WeakMap<SpecRest, Shape>();

  read(page: SnapshotPage, row: number): RestoredEntry {
    const { ownerId, version, attempt, notBefore, avoidWorkerId, cancel, closed, attention } = page.shared(
      shared.rest,
      row,
    ) as EntryRest;
    const spec = rowOf.spec(page, row);
    const entry: TaskEntry = {
      taskId: page.key(row),
      ownerId,
      spec: new PackedSpec(page.text(texts.name, row), spec, page.text(texts.details, row)),
      shape: this.shapeOf(spec),
      order: rowOf.order(page, row),
      version,
      attempt,
      queuedAt: rowOf.queuedAt(page, row),
      notBefore,
      avoidWorkerId,
      cancel,
      closed,
      assignment: undefined,
      waiting: undefined,
    };
    const assignment = page.text(texts.assignment, row);
    return {
      entry,
      assignment: assignment === '' ? undefined : restoredAssignment(JSON.parse(assignment) as StoredAssignment),
      attention,
    };
  }

  shapeOf(spec: SpecRest): Shape {
    let shape = this.shapes.get(spec);
    if (shape === undefined) this.shapes.set(spec, (shape = shapeOf(spec)));
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
