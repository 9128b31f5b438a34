import { describe, expect, it } from 'vitest';
import type { TaskRowFragment, TaskStatus } from '@/gql/graphql';
import { applyChanges, firstPage, nextPage, type TaskPage } from './task-pages';
import type { TaskQuery } from './task-query';

const newestFirst: TaskQuery = {
  statuses: [],
  worker: null,
  tag: null,
  search: null,
  sort: 'created',
  descending: true,
};

function task(
  id: string,
  createdAt: number,
  change: { version?: number; status?: TaskStatus; name?: string; deleted?: boolean } = {},
): TaskRowFragment {
  return {
    id,
    createdAt,
    version: 1,
    name: `task ${id}`,
    ownerId: 'u',
    ownerName: 'U',
    image: 'busybox',
    tags: [],
    queue: 'default',
    status: 'queued',
    attempt: 1,
    message: null,
    progressPercent: null,
    workerId: null,
    workerName: null,
    queuedAt: createdAt,
    startedAt: null,
    finishedAt: null,
    cancelRequestedAt: null,
    deleted: false,
    ...change,
  };
}
const page = (tasks: TaskRowFragment[], hasNextPage = false): TaskPage => ({
  tasks,
  hasNextPage,
  endCursor: tasks.at(-1)?.id ?? null,
  degraded: false,
});
const ids = (pages: { rows: readonly TaskRowFragment[] }) => pages.rows.map((row) => row.id).join('');

describe('pages of tasks', () => {
  it('go on at the cursor of the last page', () => {
    const pages = nextPage(firstPage(page([task('d', 4), task('c', 3)], true)), page([task('b', 2), task('a', 1)]));
    expect(ids(pages)).toBe('dcba');
    expect(pages.endCursor).toBe('a');
    expect(pages.hasNextPage).toBe(false);
  });

  it('show a task once, in its newer version, when it comes live and again in a page', () => {
    const live = applyChanges(
      firstPage(page([task('c', 3)], false)),
      [task('b', 2, { version: 5, status: 'running' })],
      newestFirst,
    );
    const pages = nextPage(live, page([task('b', 2, { version: 4 }), task('a', 1)]));
    expect(ids(pages)).toBe('cba');
    expect(pages.rows[1]?.status).toBe('running');
  });
});

describe('live changes', () => {
  const start = firstPage(page([task('d', 4), task('c', 3), task('b', 2)], true));

  it('replace a row in its place', () => {
    const pages = applyChanges(start, [task('c', 3, { version: 2, status: 'running' })], newestFirst);
    expect(ids(pages)).toBe('dcb');
    expect(pages.rows[1]?.status).toBe('running');
  });

  it('are ignored when they are older than the row', () => {
    const newer = applyChanges(start, [task('c', 3, { version: 3, status: 'succeeded' })], newestFirst);
    expect(applyChanges(newer, [task('c', 3, { version: 2, status: 'running' })], newestFirst).rows[1]?.status).toBe(
      'succeeded',
    );
  });

  it('use the newest of several for one task', () => {
    const pages = applyChanges(
      start,
      [task('e', 5, { version: 2, status: 'running' }), task('e', 5, { version: 1 })],
      newestFirst,
    );
    expect(ids(pages)).toBe('edcb');
    expect(pages.rows[0]?.status).toBe('running');
  });

  it('put a new task at its place by creation, also oldest first', () => {
    expect(ids(applyChanges(start, [task('x', 3.5)], newestFirst))).toBe('dxcb');
    const oldestFirst = { ...newestFirst, descending: false };
    const pages = firstPage(page([task('a', 1), task('b', 2)]));
    expect(ids(applyChanges(pages, [task('c', 3)], oldestFirst))).toBe('abc');
  });

  it('leave a task that a later page will bring to that page', () => {
    expect(ids(applyChanges(start, [task('a', 1)], newestFirst))).toBe('dcb');
    expect(ids(applyChanges({ ...start, hasNextPage: false }, [task('a', 1)], newestFirst))).toBe('dcba');
  });

  it('take rows away that no longer match, and deleted ones', () => {
    const running = { ...newestFirst, statuses: ['queued'] as const };
    expect(ids(applyChanges(start, [task('c', 3, { version: 2, status: 'running' })], running))).toBe('db');
    expect(ids(applyChanges(start, [task('c', 3, { version: 2, deleted: true })], newestFirst))).toBe('db');
  });

  it('are counted where their place is not known', () => {
    const byDuration: TaskQuery = { ...newestFirst, sort: 'duration' };
    const pages = applyChanges(start, [task('x', 9)], byDuration);
    expect(ids(pages)).toBe('dcb');
    expect([...pages.unseen]).toEqual(['x']);
    expect([...applyChanges(pages, [task('x', 9, { version: 2, deleted: true })], byDuration).unseen]).toEqual([]);
  });
});
