'use client';
import { Alert, Anchor, Button, Menu } from '@mantine/core';
import { ChevronDownIcon, CopyPlusIcon, SquareIcon, RefreshCwIcon, Trash2Icon } from 'lucide-react';
import Link from 'next/link';
import { CopyId } from '@/components/ui/copy-id';
import { PageHeader } from '@/components/ui/page-header';
import { RelativeTime } from '@/components/ui/relative-time';
import type { TaskDetailFragment } from '@/gql/graphql';
import { isFinal } from '../model/task-status';
import { TaskDuration } from './task-duration';
import { TaskProgress } from './task-progress';
import { TaskStatusPill } from './task-status-pill';
import { useTaskActions } from './use-task-actions';

export function TaskHeader({ task }: { task: TaskDetailFragment }) {
  const actions = useTaskActions();
  const final = isFinal(task.status);
  const cancelling = task.cancelRequestedAt !== null && task.cancelRequestedAt !== undefined;
  return (
    <>
      <PageHeader
        title={task.name}
        detail={
          <>
            <TaskStatusPill status={task.status} cancelling={cancelling} />
            <CopyId value={task.id} label="task id" />
            <span>
              submitted <RelativeTime time={task.createdAt} /> by {task.ownerName}
            </span>
            {task.startedAt ? (
              <span>
                {final ? 'ran ' : 'running for '}
                <TaskDuration task={task} />
              </span>
            ) : null}
            {final || task.status === 'queued' ? null : <TaskProgress task={task} />}
          </>
        }
        actions={
          <>
            {final ? (
              <Button
                leftSection={<RefreshCwIcon size={16} />}
                onClick={() => void actions.retry(task)}
                loading={actions.busy}
              >
                Retry
              </Button>
            ) : (
              <Button
                variant="default"
                leftSection={<SquareIcon size={16} color="var(--status-failed)" />}
                disabled={cancelling}
                onClick={() => void actions.cancel(task)}
                loading={actions.busy}
              >
                {cancelling ? 'Cancelling' : 'Cancel'}
              </Button>
            )}
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" rightSection={<ChevronDownIcon size={15} />}>
                  More
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  component={Link}
                  href={`/tasks/new?from=${task.id}`}
                  leftSection={<CopyPlusIcon size={16} />}
                >
                  Run again with changes
                </Menu.Item>
                <Menu.Item
                  color="red"
                  leftSection={<Trash2Icon size={16} />}
                  disabled={!final}
                  onClick={() => void actions.remove(task)}
                >
                  {final ? 'Delete' : 'Delete (after it ended)'}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
      {task.failure && final ? (
        <Alert color={task.status === 'timed_out' ? 'orange' : 'red'} title={failureTitle[task.failure.class]} mb="md">
          {task.failure.message}
          {task.exitCode === null || task.exitCode === undefined ? null : (
            <span className="soft">{` Exit code ${task.exitCode}.`}</span>
          )}
        </Alert>
      ) : null}
      {task.retryOf ? (
        <Alert color="gray" mb="md" p="xs">
          Repeats{' '}
          <Anchor component={Link} href={`/tasks/${task.retryOf}`} className="mono">
            {task.retryOf}
          </Anchor>
        </Alert>
      ) : null}
    </>
  );
}

const failureTitle = {
  user_exit: 'The program ended with an error',
  out_of_memory: 'It ran out of memory',
  timeout: 'It ran longer than allowed',
  image: 'The image could not be used',
  invalid: 'The task could not be run as asked',
  infrastructure: 'The machine or the platform failed',
} as const;
