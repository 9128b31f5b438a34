import type { ListPosition, TaskFilter, TaskSort } from '@gantry/contracts/tasks/task-requests';
import { comparePositions, taskSortValue } from '@gantry/contracts/tasks/task-order';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

export function positionOf(task: TaskView, sort: TaskSort, now: number): ListPosition {
  return { value: taskSortValue(task, sort, now), id: task.id };
}

/** Negative if `a` comes first. */
export function compareInOrder(a: ListPosition, b: ListPosition, descending: boolean): number {
  return descending ? -comparePositions(a, b) : comparePositions(a, b);
}

/** The filter of lists and of `taskChanged`, on a view that may be newer than what a service filtered. */
export function matchesFilter(task: TaskView, filter: TaskFilter): boolean {
  if (filter.statuses !== undefined && filter.statuses.length > 0 && !filter.statuses.includes(task.status))
    return false;
  if (filter.workerId !== undefined && task.workerId !== filter.workerId) return false;
  if (filter.ownerId !== undefined && task.ownerId !== filter.ownerId) return false;
  if (filter.tag !== undefined && !task.spec.tags.includes(filter.tag)) return false;
  if (filter.queue !== undefined && task.spec.queue !== filter.queue) return false;
  const search = filter.search?.trim().toLowerCase() ?? '';
  if (search === '') return true;
  return task.spec.name.toLowerCase().includes(search) || task.id.startsWith(search);
}
