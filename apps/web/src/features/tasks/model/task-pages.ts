import type { TaskRowFragment } from '@/gql/graphql';
import { matches, type TaskQuery } from './task-query';

export interface TaskPage {
  readonly tasks: readonly TaskRowFragment[];
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
  readonly degraded: boolean;
}

/** The rows of a list that was read page by page (keyset cursors) and is changed live. */
export interface TaskPages {
  readonly rows: readonly TaskRowFragment[];
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
  readonly degraded: boolean;
  /** Tasks that belong to the list but not at a place we know: shown as "n new", put in place by a reload. */
  readonly unseen: ReadonlySet<string>;
}

export const noPages: TaskPages = { rows: [], endCursor: null, hasNextPage: false, degraded: false, unseen: new Set() };

export function firstPage(page: TaskPage): TaskPages {
  return { ...pageEnd(page), rows: dedupe(page.tasks), unseen: new Set() };
}

/** Adds a page below. A row that a live change already brought is kept once, in its newer version. */
export function nextPage(pages: TaskPages, page: TaskPage): TaskPages {
  return { ...pageEnd(page), rows: dedupe([...pages.rows, ...page.tasks]), unseen: pages.unseen };
}

/**
 * Applies live changes: known rows get their newer version in place (a row never jumps under the pointer), and leave
 * when they no longer match; new ones enter at their place when the list is by creation, otherwise they are counted as unseen.
 */
export function applyChanges(pages: TaskPages, changes: readonly TaskRowFragment[], query: TaskQuery): TaskPages {
  const newest = latestById(changes);
  let rows: TaskRowFragment[] = [];
  for (const row of pages.rows) {
    const change = newest.get(row.id);
    newest.delete(row.id);
    if (change === undefined || change.version < row.version) rows.push(row);
    else if (matches(query, change)) rows.push(change);
  }
  const unseen = new Set(pages.unseen);
  const entering: TaskRowFragment[] = [];
  for (const change of newest.values()) {
    if (!matches(query, change)) unseen.delete(change.id);
    else if (!isByCreation(query)) unseen.add(change.id);
    else if (!isBelow(change, rows, pages.hasNextPage, query)) entering.push(change);
  }
  if (entering.length > 0) {
    const sign = query.descending ? -1 : 1;
    rows = [...rows, ...entering].sort((left, right) => sign * (left.createdAt - right.createdAt));
  }
  return { ...pages, rows, unseen };
}

const isByCreation = (query: TaskQuery) => query.sort === 'created';

/** Beyond the last row read: a later page will bring it. */
function isBelow(
  task: TaskRowFragment,
  rows: readonly TaskRowFragment[],
  hasNextPage: boolean,
  query: TaskQuery,
): boolean {
  const last = rows.at(-1);
  if (!hasNextPage || last === undefined) return false;
  return query.descending ? task.createdAt < last.createdAt : task.createdAt > last.createdAt;
}

function pageEnd({ endCursor, hasNextPage, degraded }: TaskPage) {
  return { endCursor, hasNextPage, degraded };
}

function dedupe(rows: readonly TaskRowFragment[]): TaskRowFragment[] {
  const newest = latestById(rows);
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    if (seen.has(row.id)) return [];
    seen.add(row.id);
    return [newest.get(row.id) ?? row];
  });
}

function latestById(tasks: readonly TaskRowFragment[]): Map<string, TaskRowFragment> {
  const newest = new Map<string, TaskRowFragment>();
  for (const task of tasks) {
    const known = newest.get(task.id);
    if (known === undefined || task.version >= known.version) newest.set(task.id, task);
  }
  return newest;
}
