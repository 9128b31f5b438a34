import type { TaskRowFragment, TaskStatus } from '@/gql/graphql';
import type { Tone } from '@/components/ui/status-pill';

export const activeStatuses = ['queued', 'assigned', 'starting', 'running'] as const satisfies readonly TaskStatus[];
export const finalStatuses = ['succeeded', 'failed', 'timed_out', 'cancelled'] as const satisfies readonly TaskStatus[];
export const allStatuses = [...activeStatuses, ...finalStatuses] as const;

export const isFinal = (status: TaskStatus) => (finalStatuses as readonly string[]).includes(status);
export const isTaskStatus = (value: string): value is TaskStatus => (allStatuses as readonly string[]).includes(value);

export const statusLabel: Record<TaskStatus, string> = {
  queued: 'Queued',
  assigned: 'Assigned',
  starting: 'Starting',
  running: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  timed_out: 'Timed out',
  cancelled: 'Cancelled',
};

export const statusTone: Record<TaskStatus, Tone> = {
  queued: 'neutral',
  assigned: 'wait',
  starting: 'wait',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  timed_out: 'warn',
  cancelled: 'muted',
};

type Timed = Pick<TaskRowFragment, 'startedAt' | 'finishedAt'>;

/** How long it ran, or has been running; null before it starts. */
export function durationOf(task: Timed, now: number): number | null {
  if (task.startedAt === null || task.startedAt === undefined) return null;
  return Math.max(0, (task.finishedAt ?? now) - task.startedAt);
}
