'use client';
import { useApolloClient } from '@apollo/client/react';
import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import { toastInfo } from '@/components/ui/toast';
import { useSessionState } from '@/features/auth/components/session-context';
import { EndedTasks } from '@/features/tasks/model/ended-tasks';
import { isFinal, statusLabel } from '@/features/tasks/model/task-status';
import { TaskChangedDocument, type TaskStatus } from '@/gql/graphql';
import { formatCount } from '@/lib/format';

const colours: Partial<Record<TaskStatus, 'teal' | 'red' | 'orange' | 'gray'>> = {
  succeeded: 'teal',
  failed: 'red',
  timed_out: 'orange',
  cancelled: 'gray',
};
const lower = (status: TaskStatus) => statusLabel[status].toLowerCase();
/** A change that is older came with a re-connection, not now. */
const FRESH_MS = 60_000;

/** Tells a person when their own tasks end, on whatever page they are. Also what keeps the live channel open. */
export function TaskToasts() {
  const client = useApolloClient();
  const router = useRouter();
  const state = useSessionState();
  const ownerId = state.status === 'signed_in' ? state.user.id : null;

  useEffect(() => {
    if (ownerId === null) return undefined;
    const ended = new EndedTasks((news) => {
      if (news.kind === 'one') {
        const { id, name, status } = news.task;
        toastInfo(`task-${id}`, `${name}: ${lower(status)}`, 'Open the task', colours[status] ?? 'gray', () =>
          router.push(`/tasks/${id}`),
        );
        return;
      }
      const counts = news.counts.map(([status, count]) => `${formatCount(count)} ${lower(status)}`).join(', ');
      const allWell = news.counts.every(([status]) => status === 'succeeded');
      toastInfo('tasks-ended', `${formatCount(news.total)} tasks ended`, counts, allWell ? 'teal' : 'orange', () =>
        router.push('/tasks'),
      );
    });
    const subscription = client
      .subscribe({ query: TaskChangedDocument, variables: { filter: { ownerId } }, fetchPolicy: 'no-cache' })
      .subscribe({
        next: ({ data }) => {
          const task = data?.taskChanged;
          if (!task || task.deleted || !isFinal(task.status)) return;
          if (Date.now() - (task.finishedAt ?? 0) <= FRESH_MS) ended.add(task);
        },
        error: () => undefined,
      });
    return () => {
      subscription.unsubscribe();
      ended.dispose();
    };
  }, [client, ownerId, router]);

  return null;
}
