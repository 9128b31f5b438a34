import { isTerminal, taskStatuses } from '@gantry/contracts/tasks/task-status';
import type { ListPosition, TaskFilter, TaskSort } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

/** The number a list is sorted by; the same definition as the services' (see `listPositionSchema`). */
export function sortValueOf(task: TaskView, sort: TaskSort, now: number): number {
  switch (sort) {
    case 'created':
      return task.createdAt;
    case 'status':
      return taskStatuses.indexOf(task.status);
    case 'duration': {
      if (task.startedAt === null) return 0;
      return Math.max(0, (task.finishedAt ?? (isTerminal(task.status) ? task.startedAt : now)) - task.startedAt);
    }
  }
}

export function positionOf(task: TaskView, sort: TaskSort, now: number): ListPosition {
  return { value: sortValueOf(task, sort, now), id: task.id };
}

/** Negative if `a` comes first. */
export function comparePositions(a: ListPosition, b: ListPosition, descending: boolean): number {
  const ascending = a.value !== b.value ? a.value - b.value : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  return descending ? -ascending : ascending;
}

/** The filter of lists and of `taskChanged`, on a view that may be newer than what a service filtered. */
export function matchesFilter(task: TaskView, filter: TaskFilter): boolean {
  if (filter.statuses !== undefined && filter.statuses.length > 0 && !filter.statuses.includes(task.status))
    return false;
  if (filter.workerId !== undefined && task.workerId !== filter.workerId) return false;
  if (filter.ownerId !== undefined && task.ownerId !== filter.ownerId) return false;
  if (filter.tag !== undefined && !task.spec.tags.includes(filter.tag)) return false;
  if (filter.queue !== undefined && task.spec.queue !== filter.queue) return false;
  if (filter.search === undefined || filter.search === '') return true;
  const search = filter.search.toLowerCase();
  return task.spec.name.toLowerCase().includes(search) || task.id.startsWith(search);
}
