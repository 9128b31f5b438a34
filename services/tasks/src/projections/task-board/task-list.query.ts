import { comparePositions, taskSortValue } from '@gantry/contracts/tasks/task-order';
import type { ListPosition, TaskFilter, TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { ColdTask } from './cold-tasks.js';
import { filteredSpecOf, type ListedTask } from './listed-task.js';
import type { HeldTask } from './packed-task.js';

interface Row {
  readonly position: ListPosition;
  readonly task: HeldTask;
}

/** One page by keyset: the `limit` best rows after `after`, found in one pass without sorting the rest. */
export function listTasks(sources: readonly Iterable<HeldTask | ColdTask>[], input: TaskListInput): HeldTask[] {
  const { sort, descending, after, limit, now, visibleTo } = input;
  const matches = matcherOf(input.filter);
  const direction = descending ? -1 : 1;
  const page: Row[] = [];
  for (const source of sources)
    for (const task of source) {
      if (task.deleted || (visibleTo !== null && task.ownerId !== visibleTo) || !matches(task)) continue;
      const value = taskSortValue(task, sort, now);
      if (after !== undefined && compare(value, task, after) * direction <= 0) continue;
      const worst = page.length === limit ? page[limit - 1] : undefined;
      if (worst !== undefined && compare(value, task, worst.position) * direction >= 0) continue;
      const kept = task instanceof ColdTask ? task.packed() : task;
      insert(page, { position: { value, id: kept.id }, task: kept }, limit, direction);
    }
  return page.map((row) => row.task);
}

/** As names and ids are compared with it; undefined if nothing is searched for. */
export function searchedFor({ search }: TaskFilter): string | undefined {
  return search?.toLowerCase() || undefined;
}

/** The id of a task that is still in its page would have to be made. */
function compare(value: number, task: HeldTask | ColdTask, other: ListPosition): number {
  if (value !== other.value) return value < other.value ? -1 : 1;
  return task instanceof ColdTask ? task.compareId(other.id) : comparePositions({ value, id: task.id }, other);
}

function insert(page: Row[], row: Row, limit: number, direction: number): void {
  let low = 0;
  let high = page.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = page[middle];
    if (other !== undefined && comparePositions(other.position, row.position) * direction < 0) low = middle + 1;
    else high = middle;
  }
  page.splice(low, 0, row);
  if (page.length > limit) page.pop();
}

function matcherOf(filter: TaskFilter): (task: ListedTask) => boolean {
  const { workerId, ownerId, tag, queue } = filter;
  const statuses = filter.statuses === undefined || filter.statuses.length === 0 ? undefined : new Set(filter.statuses);
  const search = searchedFor(filter);
  return (task) =>
    (statuses === undefined || statuses.has(task.status)) &&
    (ownerId === undefined || task.ownerId === ownerId) &&
    (workerId === undefined || task.workerId === workerId) &&
    (queue === undefined || filteredSpecOf(task).queue === queue) &&
    (tag === undefined || filteredSpecOf(task).tags.includes(tag)) &&
    (search === undefined || task.id.startsWith(search) || task.spec.name.toLowerCase().includes(search));
}
