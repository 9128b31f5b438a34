'use client';
import { useQuery, useSubscription } from '@apollo/client/react';
import { TaskByIdDocument, TaskLiveDocument } from '@/gql/graphql';

/**
 * One task, live. The query fills the page; the subscription writes each newer state into the same cache entry, and sends the
 * whole state again after every re-connection, so nothing is missed.
 */
export function useTask(id: string) {
  const { data, error, loading, refetch } = useQuery(TaskByIdDocument, { variables: { id } });
  useSubscription(TaskLiveDocument, { variables: { id }, skip: data === undefined, ignoreResults: true });
  return { task: data?.task, error, loading, refetch: () => void refetch() };
}
