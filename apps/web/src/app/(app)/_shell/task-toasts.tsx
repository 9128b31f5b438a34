'use client';
import { useApolloClient } from '@apollo/client/react';
import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import { toastInfo } from '@/components/ui/toast';
import { useSessionState } from '@/features/auth/components/session-context';
import { isFinal, statusLabel } from '@/features/tasks/model/task-status';
import { TaskChangedDocument, type TaskStatus } from '@/gql/graphql';

const colours: Partial<Record<TaskStatus, 'teal' | 'red' | 'orange' | 'gray'>> = {
  succeeded: 'teal',
  failed: 'red',
  timed_out: 'orange',
  cancelled: 'gray',
};
/** A change that is older came with a re-connection, not now. */
const FRESH_MS = 60_000;

/** Tells a person when one of their own tasks ends, on whatever page they are. Also what keeps the live channel open. */
export function TaskToasts() {
  const client = useApolloClient();
  const router = useRouter();
  const state = useSessionState();
  const ownerId = state.status === 'signed_in' ? state.user.id : null;

  useEffect(() => {
    if (ownerId === null) return undefined;
    const told = new Set<string>();
    const subscription = client
      .subscribe({ query: TaskChangedDocument, variables: { filter: { ownerId } }, fetchPolicy: 'no-cache' })
      .subscribe({
        next: ({ data }) => {
          const task = data?.taskChanged;
          if (!task || task.deleted || !isFinal(task.status) || told.has(task.id)) return;
          if (Date.now() - (task.finishedAt ?? 0) > FRESH_MS) return;
          told.add(task.id);
          toastInfo(
            `task-${task.id}`,
            `${task.name}: ${statusLabel[task.status].toLowerCase()}`,
            'Open the task',
            colours[task.status] ?? 'gray',
            () => router.push(`/tasks/${task.id}`),
          );
        },
        error: () => undefined,
      });
    return () => subscription.unsubscribe();
  }, [client, ownerId, router]);

  return null;
}
