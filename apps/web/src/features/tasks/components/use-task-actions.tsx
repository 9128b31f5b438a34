'use client';
import { useMutation } from '@apollo/client/react';
import { Text } from '@mantine/core';
import { useRouter } from 'next/navigation';
import { confirm } from '@/components/ui/confirm';
import { toastDone, toastProblem } from '@/components/ui/toast';
import { CancelTaskDocument, DeleteTaskDocument, RetryTaskDocument, type TaskRowFragment } from '@/gql/graphql';
import { formatCount } from '@/lib/format';

type Target = Pick<TaskRowFragment, 'id' | 'name' | 'status'>;

/** Cancel, retry, delete: each asks first where it cannot be taken back, and says how it went. */
export function useTaskActions() {
  const router = useRouter();
  const [cancelTask, cancelling] = useMutation(CancelTaskDocument);
  const [retryTask, retrying] = useMutation(RetryTaskDocument);
  const [deleteTask, deleting] = useMutation(DeleteTaskDocument);

  return {
    busy: cancelling.loading || retrying.loading || deleting.loading,

    cancel: async (task: Target): Promise<void> => {
      const sure = await confirm({
        title: `Cancel “${task.name}”?`,
        body: (
          <Text size="sm">
            {task.status === 'queued'
              ? 'It leaves the queue and will not run.'
              : 'Its container is asked to stop, and killed after the grace period.'}
          </Text>
        ),
        action: 'Cancel the task',
      });
      if (!sure) return;
      await cancelTask({ variables: { id: task.id } }).catch(toastProblem);
    },

    cancelMany: async (tasks: readonly Target[]): Promise<boolean> => {
      const sure = await confirm({
        title: `Cancel ${formatCount(tasks.length)} ${tasks.length === 1 ? 'task' : 'tasks'}?`,
        body: (
          <Text size="sm">
            Those that wait leave the queue; containers that run are asked to stop, and killed after the grace period.
          </Text>
        ),
        action: tasks.length === 1 ? 'Cancel the task' : 'Cancel the tasks',
      });
      if (!sure) return false;
      const results = await Promise.allSettled(tasks.map((task) => cancelTask({ variables: { id: task.id } })));
      const refused = results.filter((result) => result.status === 'rejected');
      if (refused[0] !== undefined) toastProblem(refused[0].reason);
      if (refused.length < tasks.length)
        toastDone(
          `Cancelling ${formatCount(tasks.length - refused.length)}`,
          refused.length > 0 ? `${refused.length} could not be cancelled.` : undefined,
        );
      return true;
    },

    retry: async (task: Target): Promise<void> => {
      try {
        const { data } = await retryTask({ variables: { id: task.id } });
        if (data === undefined) return;
        toastDone('Submitted again', task.name);
        router.push(`/tasks/${data.retryTask.id}`);
      } catch (thrown) {
        toastProblem(thrown);
      }
    },

    remove: async (task: Target): Promise<void> => {
      const sure = await confirm({
        title: `Delete “${task.name}”?`,
        body: <Text size="sm">The task leaves all lists and its artifacts are deleted. This cannot be undone.</Text>,
        action: 'Delete the task',
      });
      if (!sure) return;
      try {
        await deleteTask({ variables: { id: task.id } });
        toastDone('Deleted', task.name);
        router.push('/tasks');
      } catch (thrown) {
        toastProblem(thrown);
      }
    },
  };
}
