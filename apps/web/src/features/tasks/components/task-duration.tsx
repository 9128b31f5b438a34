'use client';
import type { TaskRowFragment } from '@/gql/graphql';
import { formatDuration } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { durationOf } from '../model/task-status';

export function TaskDuration({ task }: { task: Pick<TaskRowFragment, 'startedAt' | 'finishedAt'> }) {
  const now = useNow();
  const duration = durationOf(task, now);
  return (
    <span style={{ fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }}>
      {duration === null ? '–' : formatDuration(duration)}
    </span>
  );
}
