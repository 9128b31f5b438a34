import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { Loaded } from '@gantry/event-sourcing/command-handler';
import type { TaskState } from '../domain/task/task.state.js';

/** Raise it whenever the form of the entries, of the view or of the aggregate changes, or a fold gives another result. */
export const TASK_SNAPSHOT_VERSION = 1;

/** One task of the board as a snapshot keeps it. Holds nothing that TASKS does not hold. */
export interface TaskSnapshotEntry {
  readonly view: TaskView;
  /** Stream sequence of the only commit of a task that has just been submitted; its aggregate follows from the view. */
  readonly submission?: number;
  readonly aggregate?: { readonly lastSequence: number; readonly state: Record<string, unknown> };
}

/** The spec is the larger half of a task: it is kept once, in the view, as it is in memory. */
export function entryOf(
  view: TaskView,
  submission: number | undefined,
  aggregate: Loaded<TaskState> | undefined,
): TaskSnapshotEntry {
  if (submission !== undefined) return { view, submission };
  // A newer aggregate than its view is on its way into the view; the tail of the stream brings both to the same version.
  if (aggregate === undefined || aggregate.version !== view.version) return { view };
  const { lastSequence, state } = aggregate;
  const { spec: _kept, ...rest } = { spec: undefined, ...state };
  return { view, aggregate: { lastSequence, state: rest } };
}

export function aggregateOf({ view, aggregate }: TaskSnapshotEntry): Loaded<TaskState> | undefined {
  if (aggregate === undefined) return undefined;
  const { lastSequence, state } = aggregate;
  const { status } = state as Pick<TaskState, 'status'>;
  const ended = status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'timed_out';
  const whole = ended ? state : { ...state, spec: view.spec };
  return { state: whole as unknown as TaskState, version: view.version, lastSequence };
}
