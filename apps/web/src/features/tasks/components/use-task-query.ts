'use client';
import { parseAsArrayOf, parseAsBoolean, parseAsString, parseAsStringLiteral, useQueryStates } from 'nuqs';
import { taskStatusesOf, type TaskQuery } from '../model/task-query';
import { allStatuses } from '../model/task-status';

const parsers = {
  status: parseAsArrayOf(parseAsStringLiteral(allStatuses)),
  worker: parseAsString,
  tag: parseAsString,
  q: parseAsString,
  sort: parseAsStringLiteral(['created', 'status', 'duration'] as const).withDefault('created'),
  desc: parseAsBoolean.withDefault(true),
};

/** The list's query lives in the address bar: a link shows what the sender saw. */
export function useTaskQuery(): [TaskQuery, (change: Partial<TaskQuery>) => void] {
  const [values, setValues] = useQueryStates(parsers, { history: 'replace', throttleMs: 200 });
  const query: TaskQuery = {
    statuses: taskStatusesOf(values.status),
    worker: values.worker,
    tag: values.tag,
    search: values.q,
    sort: values.sort,
    descending: values.desc,
  };
  const change = (next: Partial<TaskQuery>) => {
    const merged = { ...query, ...next };
    void setValues({
      status: merged.statuses.length > 0 ? [...merged.statuses] : null,
      worker: merged.worker || null,
      tag: merged.tag || null,
      q: merged.search || null,
      sort: merged.sort,
      desc: merged.descending,
    });
  };
  return [query, change];
}
