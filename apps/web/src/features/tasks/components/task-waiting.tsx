'use client';
import { useApolloClient, useQuery } from '@apollo/client/react';
import { Skeleton } from '@mantine/core';
import { useEffect } from 'react';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill } from '@/components/ui/status-pill';
import { TaskWaitingDocument, WorkerChangedDocument, type TaskDetailFragment } from '@/gql/graphql';
import styles from './task-waiting.module.css';

const READ_AGAIN_MS = 2_000;

/** Why the task still waits: its place in the queue and, per worker, what is missing. Asked again when a worker changes. */
export function TaskWaiting({ task }: { task: Pick<TaskDetailFragment, 'id' | 'version' | 'message'> }) {
  const client = useApolloClient();
  const { data, error, refetch } = useQuery(TaskWaitingDocument, {
    variables: { id: task.id },
    fetchPolicy: 'no-cache',
  });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const subscription = client
      .subscribe({ query: WorkerChangedDocument, variables: {}, fetchPolicy: 'no-cache' })
      .subscribe({
        next: () => {
          timer ??= setTimeout(() => {
            timer = undefined;
            void refetch().catch(() => undefined);
          }, READ_AGAIN_MS);
        },
        error: () => undefined,
      });
    return () => {
      clearTimeout(timer);
      subscription.unsubscribe();
    };
  }, [client, refetch, task.version]);

  if (data === undefined) {
    return (
      <Panel title="Why it waits">
        {error ? <ProblemPanel error={error} onRetry={() => void refetch()} /> : <Skeleton height={90} />}
      </Panel>
    );
  }
  const { explanation, queuePosition } = data.task;
  const position = explanation.queuePosition ?? queuePosition;
  return (
    <Panel
      title="Why it waits"
      aside={
        position === null || position === undefined ? null : (
          <span data-testid="queue-position">{`Position ${position} in the queue`}</span>
        )
      }
    >
      <p className={styles.summary} role="status">
        {explanation.summary}
      </p>
      {task.message ? <p className={styles.message}>{task.message}</p> : null}
      {explanation.workers.length > 0 ? (
        <ul className={styles.workers}>
          {explanation.workers.map((worker) => (
            <li key={worker.workerId} className={styles.worker}>
              <span className={styles.name}>{worker.workerName}</span>
              {worker.fits ? (
                <StatusPill tone="good" label="fits" />
              ) : (
                <ul className={styles.unmet}>
                  {worker.unmet.map((unmet) => (
                    <li key={unmet.resource} data-never={unmet.never || undefined}>
                      {unmet.message}
                      <span className="soft">{` (asks ${unmet.requested}, ${unmet.never ? 'has' : 'free'} ${unmet.available})`}</span>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
      ) : null}
      <div className={styles.checked}>
        checked <RelativeTime time={explanation.checkedAt} />
      </div>
    </Panel>
  );
}
