import type { TaskHistoryQuery } from '@/gql/graphql';
import { formatDuration } from '@/lib/format';
import type { Tone } from '@/components/ui/status-pill';

export type HistoryEntry = TaskHistoryQuery['task']['history'][number];

export interface TimelineItem {
  readonly key: string;
  readonly at: number;
  readonly actor: string;
  readonly title: string;
  readonly detail: string | null;
  readonly tone: Tone;
}

/** Events in words. An event type this build does not know is shown by its name: the history never hides anything. */
export function timelineItem(entry: HistoryEntry, index: number): TimelineItem {
  const data = typeof entry.data === 'object' && entry.data !== null ? (entry.data as Record<string, unknown>) : {};
  const [title, detail, tone] = describe(entry.type, data);
  return { key: `${entry.version}-${index}`, at: entry.occurredAt, actor: entry.actor, title, detail, tone };
}

type Words = readonly [title: string, detail: string | null, tone: Tone];

function describe(type: string, data: Record<string, unknown>): Words {
  const attempt = typeof data['attempt'] === 'number' ? data['attempt'] : null;
  switch (type) {
    case 'TaskSubmitted':
      return ['Submitted', text(data['retryOf']) ? `again, from ${text(data['retryOf'])}` : null, 'neutral'];
    case 'TaskAssigned':
      return [`Assigned to ${text(data['workerName']) ?? 'a worker'}`, attemptWords(attempt), 'wait'];
    case 'TaskStarting':
      return [`Starting: ${text(data['phase']) ?? ''}`, attemptWords(attempt), 'wait'];
    case 'TaskProgressed':
      return [
        text(data['message']) ?? 'Progress',
        typeof data['percent'] === 'number' ? `${Math.round(data['percent'])} %` : null,
        'wait',
      ];
    case 'TaskStarted':
      return ['Container started', attemptWords(attempt), 'busy'];
    case 'ArtifactStored':
      return ['Artifact stored', text(record(data['artifact'])['path']), 'good'];
    case 'TaskCancelRequested':
      return ['Cancel requested', text(data['reason']), 'muted'];
    case 'TaskSucceeded':
      return ['Succeeded', `exit code ${amount(data['exitCode'])}${usageWords(data['usage'])}`, 'good'];
    case 'TaskFailed':
      return ['Failed', text(record(data['failure'])['message']), 'bad'];
    case 'TaskCancelled':
      return ['Cancelled', null, 'muted'];
    case 'TaskTimedOut':
      return ['Timed out', `limit ${amount(data['limitSeconds'])} s`, 'warn'];
    case 'TaskRequeued':
      return [
        `Queued again as attempt ${amount(data['nextAttempt'])}`,
        text(record(data['failure'])['message']),
        'warn',
      ];
    case 'StaleReportIgnored':
      return ['Report of an older attempt ignored', attemptWords(attempt), 'muted'];
    case 'TaskDeleted':
      return ['Deleted', null, 'muted'];
    default:
      return [type, null, 'neutral'];
  }
}

const attemptWords = (attempt: number | null) => (attempt === null ? null : `attempt ${attempt}`);
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const amount = (value: unknown): string => (typeof value === 'number' ? String(value) : '?');
const record = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function usageWords(usage: unknown): string {
  const duration = record(usage)['durationMs'];
  return typeof duration === 'number' ? `, ran ${formatDuration(duration)}` : '';
}
