'use client';
import { Anchor, Skeleton, Stack } from '@mantine/core';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { useState } from 'react';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { AttemptPicker } from '@/features/logs/components/attempt-picker';
import type { TaskDetailFragment } from '@/gql/graphql';
import { isFinal } from '../model/task-status';
import { TaskArtifacts } from './task-artifacts';
import { TaskAttempts } from './task-attempts';
import { TaskFacts } from './task-facts';
import { TaskHeader } from './task-header';
import { TaskTimeline } from './task-timeline';
import { TaskWaiting } from './task-waiting';
import { useTask } from './use-task';
import styles from './task-detail-page.module.css';

const LogViewer = dynamic(() => import('@/features/logs/components/log-viewer'), {
  ssr: false,
  loading: () => <Skeleton height={420} />,
});
const TaskGraphs = dynamic(() => import('./task-graphs').then((module) => module.TaskGraphs), {
  ssr: false,
  loading: () => <Skeleton height={380} />,
});

export function TaskDetailPage({ id }: { id: string }) {
  const { task, error, refetch } = useTask(id);
  if (task === undefined) {
    if (error === undefined) return <DetailSkeleton />;
    return (
      <ProblemPanel
        error={error}
        onRetry={refetch}
        action={
          <Anchor component={Link} href="/tasks">
            All tasks
          </Anchor>
        }
      />
    );
  }
  return <TaskDetail task={task} />;
}

function TaskDetail({ task }: { task: TaskDetailFragment }) {
  // Null follows the newest attempt; a choice stays.
  const [chosen, setChosen] = useState<number | null>(null);
  const attempt = chosen ?? Math.max(1, ...task.attempts.map((each) => each.attempt));
  const started = task.attempts.some((each) => each.startedAt !== null);
  return (
    <>
      <TaskHeader task={task} />
      <div className={styles.columns}>
        <Stack gap="md" className={styles.main}>
          {task.status === 'queued' ? <TaskWaiting task={task} /> : null}
          <Panel
            flush
            title="Log"
            aside={
              <AttemptPicker
                attempts={task.attempts.map((each) => each.attempt)}
                value={attempt}
                onChange={setChosen}
              />
            }
          >
            {task.attempts.length === 0 ? (
              <div className={styles.noLog}>
                {isFinal(task.status)
                  ? 'It never started, so it wrote nothing.'
                  : 'Lines appear here as soon as the container writes them.'}
              </div>
            ) : (
              <LogViewer
                key={`${task.id}-${attempt}`}
                taskId={task.id}
                attempt={attempt}
                emptyText={isFinal(task.status) ? 'The container wrote nothing.' : 'Waiting for the first line …'}
              />
            )}
          </Panel>
          {started ? (
            <Panel title="Resources over time">
              <TaskGraphs task={task} />
            </Panel>
          ) : null}
          <TaskArtifacts task={task} />
        </Stack>
        <Stack gap="md" className={styles.side}>
          <TaskFacts task={task} />
          {task.attempts.length > 0 ? <TaskAttempts attempts={task.attempts} /> : null}
          <TaskTimeline task={task} />
        </Stack>
      </div>
    </>
  );
}

function DetailSkeleton() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading the task">
      <Skeleton height={34} width="40%" />
      <div className={styles.columns}>
        <Skeleton height={480} />
        <Skeleton height={480} />
      </div>
    </Stack>
  );
}
