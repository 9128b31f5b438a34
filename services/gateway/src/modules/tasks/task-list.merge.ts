import { activeStatuses } from '@gantry/contracts/tasks/task-status';
import type { ListPosition, TaskFilter, TaskSort } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { compareInOrder, matchesFilter, positionOf } from './task-list.order.js';

export interface MergeOrder {
  filter: TaskFilter;
  sort: TaskSort;
  descending: boolean;
  now: number;
}

/** What one source answered for one window: its first rows after `after`. */
export interface SourceRows {
  tasks: readonly TaskView[];
  /** False when the source may have more rows behind the last one. */
  exhausted: boolean;
}

export interface MergeInput {
  order: MergeOrder;
  after: ListPosition | undefined;
  /** The tasks service: every active task and those that ended recently, always current. Undefined = not reachable. */
  recent: SourceRows | undefined;
  /** The index in ClickHouse: everything, a moment behind. Undefined = not reachable. */
  archive: SourceRows | undefined;
  /** A newer view that this process has seen pass by, if any. */
  latest: (taskId: string) => TaskView | undefined;
}

export interface MergedWindow {
  /** In order; complete up to `horizon`. */
  tasks: TaskView[];
  /** Last position that is known completely; undefined = the list ends here. Ask again from it. */
  horizon: ListPosition | undefined;
}

/**
 * Merges one window of both sources. Pure. What makes it right although the index may be stale:
 * - by id, the higher version wins, is filtered again and placed by its own position;
 * - an index row with an active status that the tasks service does not list in the same window is stale (the service lists
 *   every active task): its current version stands, or stood, somewhere else. Dropping it is what prevents
 *   duplicates between pages;
 * - rows behind the end of a source that has more are not used yet: something may belong before them.
 */
export function mergeWindow({ order, after, recent, archive, latest }: MergeInput): MergedWindow {
  const { sort, descending, now, filter } = order;
  const place = (task: TaskView) => positionOf(task, sort, now);
  const before = (a: ListPosition, b: ListPosition) => compareInOrder(a, b, descending) < 0;

  const recentEnd = endOf(recent, place);
  const archiveEnd = endOf(archive, place);
  const horizon =
    recentEnd === undefined
      ? archiveEnd
      : archiveEnd === undefined || before(recentEnd, archiveEnd)
        ? recentEnd
        : archiveEnd;
  const beyond = (position: ListPosition) => horizon !== undefined && before(horizon, position);

  const newest = new Map<string, TaskView>();
  for (const task of recent?.tasks ?? []) newest.set(task.id, newerOf(task, latest(task.id)));
  for (const row of archive?.tasks ?? []) {
    const known = newest.get(row.id);
    if (known !== undefined) {
      newest.set(row.id, newerOf(known, row));
      continue;
    }
    const view = newerOf(row, latest(row.id));
    const stale = recent !== undefined && (activeStatuses as readonly string[]).includes(view.status);
    if (!stale) newest.set(row.id, view);
  }

  const tasks = [...newest.values()]
    .filter((task) => !task.deleted && matchesFilter(task, filter))
    .map((task) => ({ task, position: place(task) }))
    .filter(({ position }) => !beyond(position) && (after === undefined || before(after, position)))
    .sort((a, b) => compareInOrder(a.position, b.position, descending))
    .map(({ task }) => task);
  return { tasks, horizon };
}

function endOf(rows: SourceRows | undefined, place: (task: TaskView) => ListPosition): ListPosition | undefined {
  const last = rows?.tasks.at(-1);
  return rows === undefined || rows.exhausted || last === undefined ? undefined : place(last);
}

function newerOf(view: TaskView, other: TaskView | undefined): TaskView {
  return other !== undefined && other.version > view.version ? other : view;
}
