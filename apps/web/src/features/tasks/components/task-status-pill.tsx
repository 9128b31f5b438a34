import { StatusPill } from '@/components/ui/status-pill';
import type { TaskStatus } from '@/gql/graphql';
import { isFinal, statusLabel, statusTone } from '../model/task-status';

export function TaskStatusPill({ status, cancelling = false }: { status: TaskStatus; cancelling?: boolean }) {
  const stopping = cancelling && !isFinal(status);
  return (
    <StatusPill
      testId="task-status"
      tone={stopping ? 'muted' : statusTone[status]}
      label={stopping ? 'Cancelling' : statusLabel[status]}
      pulse={stopping || status === 'running' || status === 'starting' || status === 'assigned'}
    />
  );
}
