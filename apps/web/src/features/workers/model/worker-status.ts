import type { WorkerStatus } from '@/gql/graphql';
import type { Tone } from '@/components/ui/status-pill';

export const workerStatusLabel: Record<WorkerStatus, string> = {
  active: 'Active',
  overloaded: 'Overloaded',
  inactive: 'Inactive',
  lost: 'Lost',
  leaving: 'Leaving',
};

export const workerStatusTone: Record<WorkerStatus, Tone> = {
  active: 'good',
  overloaded: 'warn',
  inactive: 'neutral',
  lost: 'bad',
  leaving: 'muted',
};

/** What the state means for the tasks, in one sentence. */
export const workerStatusMeaning: Record<WorkerStatus, string> = {
  active: 'Takes tasks.',
  overloaded: 'Its CPU or memory is nearly used up: it takes no new tasks.',
  inactive: 'It missed heartbeats: it takes no new tasks until it reports again.',
  lost: 'Its lease ran out: its tasks run elsewhere.',
  leaving: 'It is shutting down and takes no new tasks.',
};
