import type { TaskFilterInput, TaskRowFragment, TaskSort, TaskStatus } from '@/gql/graphql';
import { isTaskStatus } from './task-status';

/** What the address bar says about the list. */
export interface TaskQuery {
  readonly statuses: readonly TaskStatus[];
  readonly worker: string | null;
  readonly tag: string | null;
  readonly search: string | null;
  readonly sort: TaskSort;
  readonly descending: boolean;
}

export function taskStatusesOf(values: readonly string[] | null): TaskStatus[] {
  return [...new Set((values ?? []).filter(isTaskStatus))];
}

export function filterOf(query: TaskQuery): TaskFilterInput {
  return {
    ...(query.statuses.length > 0 ? { statuses: [...query.statuses] } : {}),
    ...(query.worker ? { workerId: query.worker } : {}),
    ...(query.tag ? { tag: query.tag } : {}),
    ...(query.search?.trim() ? { search: query.search.trim() } : {}),
  };
}

export const isFiltered = (query: TaskQuery) => Object.keys(filterOf(query)).length > 0;

/** The server's filter, for changes that come live. */
export function matches(query: TaskQuery, task: TaskRowFragment): boolean {
  if (task.deleted) return false;
  if (query.statuses.length > 0 && !query.statuses.includes(task.status)) return false;
  if (query.worker && task.workerId !== query.worker) return false;
  if (query.tag && !task.tags.includes(query.tag)) return false;
  const search = query.search?.trim().toLowerCase();
  return !search || task.name.toLowerCase().includes(search) || task.id.toLowerCase().startsWith(search);
}
