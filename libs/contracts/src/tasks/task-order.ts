import type { ListPosition, TaskSort } from './task-requests.js';
import { taskStatuses } from './task-status.js';
import type { TaskView } from './task-view.js';

/**
 * Sort value of one task; every list (memory, ClickHouse, merge at the edge) orders by `(value, id)`, both in the same
 * direction, ids compared as plain strings. `duration`: run time of the current attempt, up to `now` while it runs, 0 before
 * it started.
 */
export function taskSortValue(
  task: Pick<TaskView, 'createdAt' | 'status' | 'startedAt' | 'finishedAt'>,
  sort: TaskSort,
  now: number,
): number {
  switch (sort) {
    case 'created':
      return task.createdAt;
    case 'status':
      return taskStatuses.indexOf(task.status);
    case 'duration':
      return task.startedAt === null ? 0 : Math.max(0, (task.finishedAt ?? now) - task.startedAt);
  }
}

/** Ascending order of two list positions. */
export function comparePositions(a: ListPosition, b: ListPosition): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}
