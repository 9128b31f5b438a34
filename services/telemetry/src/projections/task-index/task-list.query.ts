import type { QueryParameters } from '@gantry/clickhouse/clickhouse';
import type { TaskListInput, TaskSort } from '@gantry/contracts/tasks/task-requests';
import { taskStatuses } from '@gantry/contracts/tasks/task-status';

export interface TaskListQuery {
  sql: string;
  parameters: QueryParameters;
}

/** The same numbers as `taskSortValue` of the contracts gives. */
const sortValues: Record<TaskSort, string> = {
  created: 'created_at',
  status: 'toInt64(status)',
  duration: 'if(started_at IS NULL, 0, greatest(0, ifNull(finished_at, {now:Int64}) - assumeNotNull(started_at)))',
};

/**
 * One page of views. Conditions on what changes during a task's life come after `FINAL` has picked the newest row of each task.
 */
export function taskListQuery(input: TaskListInput): TaskListQuery {
  const { filter, visibleTo, sort, descending, after } = input;
  const conditions = ['deleted = 0'];
  const parameters: QueryParameters = { limit: input.limit };
  const add = (condition: string, values: QueryParameters) => {
    conditions.push(condition);
    Object.assign(parameters, values);
  };
  if (visibleTo !== null) add('owner_id = {visibleTo:String}', { visibleTo });
  if (filter.ownerId !== undefined) add('owner_id = {ownerId:String}', { ownerId: filter.ownerId });
  if (filter.workerId !== undefined) add('worker_id = {workerId:String}', { workerId: filter.workerId });
  if (filter.queue !== undefined) add('queue = {queue:String}', { queue: filter.queue });
  if (filter.tag !== undefined) add('has(tags, {tag:String})', { tag: filter.tag });
  if (filter.statuses !== undefined && filter.statuses.length > 0) {
    add('toInt8(status) IN {statuses:Array(Int8)}', {
      statuses: filter.statuses.map((status) => taskStatuses.indexOf(status)),
    });
  }
  if (filter.search !== undefined && filter.search !== '') {
    add('(positionCaseInsensitiveUTF8(name, {search:String}) > 0 OR startsWith(id, {idPrefix:String}))', {
      search: filter.search,
      idPrefix: filter.search.toLowerCase(),
    });
  }
  const value = sortValues[sort];
  if (sort === 'duration') parameters['now'] = input.now;
  if (after !== undefined) {
    const [beyond, upTo] = descending ? ['<', '<='] : ['>', '>='];
    // The first half lets the sort key skip what lies before the page.
    add(`${value} ${upTo} {afterValue:Int64} AND (${value}, id) ${beyond} ({afterValue:Int64}, {afterId:String})`, {
      afterValue: Math.trunc(after.value),
      afterId: after.id,
    });
  }
  const direction = descending ? 'DESC' : 'ASC';
  return {
    sql: `SELECT view FROM task_index FINAL
      WHERE ${conditions.join(' AND ')}
      ORDER BY ${value} ${direction}, id ${direction}
      LIMIT {limit:UInt32}`,
    parameters,
  };
}
