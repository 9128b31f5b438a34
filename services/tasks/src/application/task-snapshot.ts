import { PackedSpec, unpackSpec, type SpecRest } from '@gantry/contracts/tasks/packed-spec';
import type { Loaded } from '@gantry/event-sourcing/command-handler';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-store.port';
import type { TaskState } from '../domain/task/task.state.js';
import { PackedTask, packTask, type HeldTask, type ViewRest } from '../projections/task-board/packed-task.js';

/** Raise it whenever the form of the entries, of the view or of the aggregate changes, or a fold gives another result. */
export const TASK_SNAPSHOT_VERSION = 3;

/** One task of the board with its aggregate, out of a snapshot. Holds nothing that TASKS does not hold. */
export interface RestoredTask {
  readonly task: PackedTask;
  /** Stream sequence of the only commit of a task that has just been submitted; its aggregate follows from the view. */
  readonly submission: number | undefined;
  readonly aggregate: Loaded<TaskState> | undefined;
}

interface StoredAggregate {
  readonly lastSequence: number;
  readonly state: Record<string, unknown>;
}

type Own = readonly [
  id: string,
  createdAt: number,
  queuedAt: number,
  name: string,
  submission: number | null,
  aggregate: StoredAggregate | null,
];

/** The spec is the larger half of a task: it is kept once, in the view, as it is in memory. */
export function entryOf(
  held: HeldTask,
  submission: number | undefined,
  aggregate: Loaded<TaskState> | undefined,
): SnapshotEntry {
  const { id, createdAt, queuedAt, rest, spec } = packTask(held);
  const own: Own = [id, createdAt, queuedAt, spec.name, submission ?? null, storedAggregate(aggregate, rest.version)];
  return { own, shared: [rest, spec.rest], text: spec.details };
}

export function restoredTask({ own, shared, text }: SnapshotEntry): RestoredTask {
  const [id, createdAt, queuedAt, name, submission, aggregate] = own as Own;
  const [rest, specRest] = shared as [ViewRest, SpecRest];
  const task = new PackedTask(id, createdAt, queuedAt, rest, new PackedSpec(name, specRest, text));
  return {
    task,
    submission: submission ?? undefined,
    aggregate: aggregate === null ? undefined : restoredAggregate(task, aggregate),
  };
}

function storedAggregate(aggregate: Loaded<TaskState> | undefined, version: number): StoredAggregate | null {
  // A newer aggregate than its view is on its way into the view; the tail of the stream brings both to the same version.
  if (aggregate === undefined || aggregate.version !== version) return null;
  const { lastSequence, state } = aggregate;
  const { spec: _kept, ...rest } = { spec: undefined, ...state };
  return { lastSequence, state: rest };
}

function restoredAggregate({ spec, version }: PackedTask, { lastSequence, state }: StoredAggregate): Loaded<TaskState> {
  const { status } = state as unknown as Pick<TaskState, 'status'>;
  const ended = status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'timed_out';
  const whole = ended ? state : { ...state, spec: unpackSpec(spec) };
  return { state: whole as unknown as TaskState, version, lastSequence };
}
