import { comparePositions, taskSortValue } from '@gantry/contracts/tasks/task-order';
import type { ListPosition, TaskFilter, TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { restOf } from '@gantry/contracts/tasks/packed-spec';
import type { HeldTask } from './packed-task.js';

interface Row<Task> {
  readonly position: ListPosition;
  readonly task: Task;
}

/** One page by keyset: the `limit` best rows after `after`, found in one pass without sorting the rest. */
export function listTasks<Task extends HeldTask>(candidates: Iterable<Task>, input: TaskListInput): Task[] {
  const { sort, descending, after, limit, now, visibleTo } = input;
  const matches = matcherOf(input.filter);
  const direction = descending ? -1 : 1;
  const page: Row<Task>[] = [];
  for (const task of candidates) {
    if (task.deleted || (visibleTo !== null && task.ownerId !== visibleTo) || !matches(task)) continue;
    const row: Row<Task> = { position: { value: taskSortValue(task, sort, now), id: task.id }, task };
    if (after !== undefined && comparePositions(row.position, after) * direction <= 0) continue;
    insert(page, row, limit, direction);
  }
  return page.map((row) => row.task);
}

function insert<Task>(page: Row<Task>[], row: Row<Task>, limit: number, direction: number): void {
  const worst = page.at(-1);
  if (page.length === limit && worst !== undefined && comparePositions(row.position, worst.position) * direction >= 0)
    return;
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

function matcherOf(filter: TaskFilter): (task: HeldTask) => boolean {
  const { workerId, ownerId, tag, queue } = filter;
  const statuses = filter.statuses === undefined || filter.statuses.length === 0 ? undefined : new Set(filter.statuses);
  const search = filter.search?.toLowerCase() || undefined;
  return (task) =>
    (statuses === undefined || statuses.has(task.status)) &&
    (ownerId === undefined || task.ownerId === ownerId) &&
    (workerId === undefined || task.workerId === workerId) &&
    (queue === undefined || restOf(task.spec).queue === queue) &&
    (tag === undefined || restOf(task.spec).tags.includes(tag)) &&
    (search === undefined || task.id.startsWith(search) || task.spec.name.toLowerCase().includes(search));
}
