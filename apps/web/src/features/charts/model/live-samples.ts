import type { MetricsLiveSubscription } from '@/gql/graphql';

/** A live sample of one thing: a host, a task or a GPU. `key`: the GPU's id, else ''. */
export interface Sample {
  readonly source: 'host' | 'task' | 'gpu';
  readonly workerId: string;
  readonly taskId: string | null;
  readonly key: string;
  readonly label: string;
  readonly time: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The parts of a live message are JSON (lists of samples): what has no time is left out. */
export function samplesOf(update: MetricsLiveSubscription['metrics']): Sample[] {
  const read = (source: Sample['source'], part: unknown): Sample[] =>
    (Array.isArray(part) ? part : [part]).flatMap((entry: unknown): Sample[] => {
      if (typeof entry !== 'object' || entry === null) return [];
      const values = entry as Record<string, unknown>;
      if (typeof values['t'] !== 'number') return [];
      const gpu = source === 'gpu';
      return [
        {
          source,
          workerId: update.workerId,
          taskId: typeof values['taskId'] === 'string' ? values['taskId'] : null,
          key: gpu ? words(values['gpuId'], '') : '',
          label: gpu ? `GPU ${words(values['gpuIndex'], '?')} (${words(values['model'], 'unknown')})` : '',
          time: values['t'],
          values,
        },
      ];
    });
  return [...read('host', update.host), ...read('task', update.tasks), ...read('gpu', update.gpus)];
}

const words = (value: unknown, otherwise: string) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
