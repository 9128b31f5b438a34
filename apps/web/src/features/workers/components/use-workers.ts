'use client';
import { useQuery, useSubscription } from '@apollo/client/react';
import { useEffect, useRef } from 'react';
import { WorkerByIdDocument, WorkerChangedDocument, WorkersDocument, type WorkerRowFragment } from '@/gql/graphql';

/** All workers, live. The subscription sends each whole worker: known ones change in the cache by themselves, a new one is put into the list. */
export function useWorkers() {
  const { data, error, loading, refetch, client } = useQuery(WorkersDocument);
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    known.current = new Set(data?.workers.map((worker) => worker.id));
  }, [data]);
  useSubscription(WorkerChangedDocument, {
    ignoreResults: true,
    onData: ({ data: { data: change } }) => {
      const worker = change?.workerChanged;
      if (worker === undefined || known.current.has(worker.id)) return;
      client.cache.updateQuery({ query: WorkersDocument }, (before) =>
        before === null || before.workers.some((each) => each.id === worker.id)
          ? before
          : { ...before, workers: [...before.workers, worker] },
      );
    },
  });
  return { workers: data?.workers, error, loading, refetch: () => void refetch() };
}

export function useWorker(id: string): { worker: WorkerRowFragment | undefined; error: unknown; refetch: () => void } {
  const { data, error, refetch } = useQuery(WorkerByIdDocument, { variables: { id } });
  useSubscription(WorkerChangedDocument, {
    variables: { workerId: id },
    skip: data === undefined,
    ignoreResults: true,
  });
  return { worker: data?.worker, error, refetch: () => void refetch() };
}
