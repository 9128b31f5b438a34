import { unpackSpec } from '@gantry/contracts/tasks/packed-spec';
import type { Loaded } from '@gantry/event-sourcing/command-handler';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { TaskState } from '../domain/task/task.state.js';
import type { PackedTask } from '../projections/task-board/packed-task.js';
import type { BoardTask } from '../projections/task-board/task-board.projection.js';
import { taskEntry, taskIn } from '../projections/task-board/task-page.js';

/** Raise it whenever the form of the entries, of the view or of the aggregate changes, or a fold gives another result. */
export const TASK_SNAPSHOT_VERSION = 4;

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

/** The spec is the larger half of a task: it is kept once, in the view, as it is in memory. */
export function entryOf({ task, submission }: BoardTask, aggregate: Loaded<TaskState> | undefined): SnapshotEntry {
  const stored = storedAggregate(aggregate, task.version);
  return taskEntry(task, submission, stored === undefined ? '' : JSON.stringify(stored));
}

export function restoredTask(page: SnapshotPage, row: number): RestoredTask {
  const task = taskIn.whole(page, row);
  const aggregate = taskIn.aggregate(page, row);
  return {
    task,
    submission: taskIn.submission(page, row),
    aggregate: aggregate === '' ? undefined : restoredAggregate(task, JSON.parse(aggregate) as StoredAggregate),
  };
}

function storedAggregate(aggregate: Loaded<TaskState> | undefined, version: number): StoredAggregate | undefined {
  // A newer aggregate than its view is on its way into the view; the tail of the stream brings both to the same version.
  if (aggregate === undefined || aggregate.version !== version) return undefined;
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
