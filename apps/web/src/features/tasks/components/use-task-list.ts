'use client';
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { TaskChangedDocument, TaskListDocument, type TaskListQuery, type TaskRowFragment } from '@/gql/graphql';
import { useConnection } from '@/lib/api-context';
import { applyChanges, firstPage, nextPage, noPages, type TaskPage, type TaskPages } from '../model/task-pages';
import { filterOf, type TaskQuery } from '../model/task-query';

const PAGE_SIZE = 50;
/** Live changes are shown together, so that a busy cluster does not render the table a hundred times a second. */
const FLUSH_MS = 250;

interface ListState {
  readonly key: string;
  readonly pages: TaskPages;
  readonly phase: 'loading' | 'ready' | 'more' | 'failed';
  readonly error: unknown;
}

export function useTaskList(query: TaskQuery) {
  const client = useApolloClient();
  const { epoch } = useConnection();
  const key = JSON.stringify(query);
  const stable = useMemo(() => query, [key]); // `key` is the query
  const [round, setRound] = useState(0);
  const [state, setState] = useState<ListState>({ key, pages: noPages, phase: 'loading', error: null });
  const wanted = useRef(key);
  wanted.current = key;

  const fetchPage = useCallback(
    async (after: string | null): Promise<TaskPage> => {
      const { data } = await client.query({
        query: TaskListDocument,
        variables: {
          filter: filterOf(stable),
          sort: stable.sort,
          descending: stable.descending,
          first: PAGE_SIZE,
          after,
        },
        fetchPolicy: 'no-cache',
      });
      return pageOf(data);
    },
    [client, stable],
  );

  useEffect(() => {
    let current = true;
    // The rows of the same list stay while it is read again; another list starts empty.
    setState((before) => ({ key, pages: before.key === key ? before.pages : noPages, phase: 'loading', error: null }));
    fetchPage(null).then(
      (page) => current && setState({ key, pages: firstPage(page), phase: 'ready', error: null }),
      (error: unknown) => current && setState((before) => ({ ...before, phase: 'failed', error })),
    );
    return () => {
      current = false;
    };
  }, [fetchPage, key, round, epoch]);

  const { worker, tag, search } = stable;
  useEffect(() => {
    let waiting: TaskRowFragment[] = [];
    const timer = setInterval(() => {
      if (waiting.length === 0) return;
      const changes = waiting;
      waiting = [];
      setState((before) =>
        before.key === key ? { ...before, pages: applyChanges(before.pages, changes, stable) } : before,
      );
    }, FLUSH_MS);
    // Statuses are left out of the filter: a row must hear of the change that takes it off the list.
    const filter = filterOf({ ...stable, statuses: [] });
    const subscription = client
      .subscribe({ query: TaskChangedDocument, variables: { filter }, fetchPolicy: 'no-cache' })
      .subscribe({
        next: ({ data }) => {
          if (data?.taskChanged) waiting.push(data.taskChanged);
        },
        error: () => undefined,
      });
    return () => {
      clearInterval(timer);
      subscription.unsubscribe();
    };
  }, [client, key, stable, worker, tag, search]);

  const more = useCallback(async () => {
    if (state.phase !== 'ready' || !state.pages.hasNextPage) return;
    setState((before) => ({ ...before, phase: 'more' }));
    try {
      const page = await fetchPage(state.pages.endCursor);
      setState((before) =>
        before.key === key && wanted.current === key
          ? { ...before, pages: nextPage(before.pages, page), phase: 'ready' }
          : before,
      );
    } catch (error) {
      setState((before) => (before.key === key ? { ...before, phase: 'failed', error } : before));
    }
  }, [state, fetchPage, key]);

  const shown = state.key === key ? state : { key, pages: noPages, phase: 'loading' as const, error: null };
  return { ...shown, more: () => void more(), reload: () => setRound((value) => value + 1) };
}

function pageOf(data: TaskListQuery | undefined): TaskPage {
  if (data === undefined) throw new Error('The API sent no list. Try again.');
  const { edges, pageInfo, degraded } = data.tasks;
  return {
    tasks: edges.map((edge) => edge.node),
    endCursor: pageInfo.endCursor ?? null,
    hasNextPage: pageInfo.hasNextPage,
    degraded,
  };
}
