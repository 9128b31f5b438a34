'use client';
import { Anchor, Button, Skeleton } from '@mantine/core';
import Link from 'next/link';
import { EmptyState } from '@/components/ui/empty-state';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { TaskTable } from '@/features/tasks/components/task-table';
import { useTaskList } from '@/features/tasks/components/use-task-list';
import type { TaskQuery } from '@/features/tasks/model/task-query';

const newest: TaskQuery = { statuses: [], worker: null, tag: null, search: null, sort: 'created', descending: true };
const SHOWN = 8;

export function RecentTasks() {
  const { pages, phase, error, reload } = useTaskList(newest);
  return (
    <Panel
      flush
      title="Recent tasks"
      aside={
        <Anchor component={Link} href="/tasks" size="sm">
          All tasks
        </Anchor>
      }
    >
      {pages.rows.length > 0 ? (
        <TaskTable caption="Recent tasks" tasks={pages.rows.slice(0, SHOWN)} />
      ) : phase === 'failed' ? (
        <ProblemPanel error={error} onRetry={reload} />
      ) : phase === 'loading' ? (
        <Skeleton height={260} radius={0} role="status" aria-label="Loading recent tasks" />
      ) : (
        <EmptyState
          title="No tasks yet"
          action={
            <Button component={Link} href="/tasks/new" size="sm">
              Submit the first task
            </Button>
          }
        >
          Submit one and watch its progress here.
        </EmptyState>
      )}
    </Panel>
  );
}
