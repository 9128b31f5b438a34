'use client';
import { useQuery, useSubscription } from '@apollo/client/react';
import { Anchor, Skeleton } from '@mantine/core';
import Link from 'next/link';
import { useEffect, useRef } from 'react';
import { EmptyState } from '@/components/ui/empty-state';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { TaskTable } from '@/features/tasks/components/task-table';
import { TaskChangedDocument, WorkerTasksDocument, type WorkerRowFragment } from '@/gql/graphql';

const LIMIT = 20;

/** The worker's newest tasks: known rows change live through the cache; a new set of running tasks reads the list again. */
export function WorkerTasks({ workerId, running }: { workerId: string; running: WorkerRowFragment['running'] }) {
  const { data, error, refetch } = useQuery(WorkerTasksDocument, { variables: { id: workerId, limit: LIMIT } });
  useSubscription(TaskChangedDocument, { variables: { filter: { workerId } }, ignoreResults: true });
  const set = running
    .map((task) => `${task.taskId}/${task.attempt}`)
    .sort()
    .join(' ');
  const seen = useRef(set);
  useEffect(() => {
    if (seen.current === set) return;
    seen.current = set;
    void refetch().catch(() => undefined);
  }, [set, refetch]);

  return (
    <Panel
      flush
      title="Its tasks"
      aside={
        <Anchor component={Link} href={`/tasks?worker=${encodeURIComponent(workerId)}`} size="sm">
          All of them
        </Anchor>
      }
    >
      {data !== undefined ? (
        data.worker.tasks.length === 0 ? (
          <EmptyState title="Nothing ran here yet">Tasks placed on this worker are listed here.</EmptyState>
        ) : (
          <TaskTable caption="Tasks of this worker" tasks={data.worker.tasks} hideWorker />
        )
      ) : error ? (
        <ProblemPanel error={error} onRetry={() => void refetch()} />
      ) : (
        <Skeleton height={200} />
      )}
    </Panel>
  );
}
