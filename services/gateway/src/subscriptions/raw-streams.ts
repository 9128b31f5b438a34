import { z } from 'zod';
import { parseInput } from '../edge/parse-input.js';
import type { LiveMetrics } from '../modules/telemetry/live-metrics.js';
import type { LiveLogs } from './live-logs.js';
import type { LiveTasks } from './live-tasks.js';
import { mapped } from './live-iterator.js';
import { merged, paced } from './merged.js';
import type { SocketRoute } from './upgrade-router.js';
import type { WorkerFeed } from './worker-feed.js';

const whole = z.coerce.number().int();
const taskQuerySchema = z.strictObject({ attempt: whole.min(1).optional(), afterSeq: whole.min(0).default(0) });
const metricQuerySchema = z.strictObject({
  /** At least this long between two messages of a kind; the newest sample wins. */
  intervalMs: whole.min(0).max(60_000).default(0),
});

export interface RawStreamParts {
  tasks: LiveTasks;
  logs: LiveLogs;
  metrics: LiveMetrics;
  workers: WorkerFeed;
}

/** The plain WebSockets: JSON messages `{type, ...}`, for clients without GraphQL. */
export function rawStreams({ tasks, logs, metrics, workers }: RawStreamParts): SocketRoute[] {
  const telemetry = (path: string): SocketRoute => ({
    path,
    open: async ({ workerId }, query, caller) => {
      const { intervalMs } = parseInput(metricQuerySchema, Object.fromEntries(query));
      const samples = await metrics.open(workerId === undefined ? {} : { workerId }, caller);
      return (signal) =>
        merged<unknown>([
          mapped(paced(samples(signal), intervalMs, signal), (update) => ({ type: 'metrics', ...update })),
          mapped(only(workers.workers(signal), workerId), (worker) => ({ type: 'worker', worker })),
        ]);
    },
  });
  return [
    {
      path: '/api/tasks/:id/stream',
      open: async ({ id = '' }, query, caller) => {
        const { attempt, afterSeq } = parseInput(taskQuerySchema, Object.fromEntries(query));
        const lines = await logs.open({ taskId: id, attempt, afterSeq, follow: true }, caller);
        const { views } = await tasks.open(id, caller);
        return (signal) =>
          merged<unknown>([
            mapped(views(signal), (task) => ({ type: 'task', task })),
            mapped(lines(signal), (batch) => ({ type: 'log', ...batch })),
          ]);
      },
    },
    {
      path: '/api/tasks/:id/metrics/stream',
      open: async ({ id = '' }, query, caller) => {
        const { intervalMs } = parseInput(metricQuerySchema, Object.fromEntries(query));
        const samples = await metrics.open({ taskId: id }, caller);
        return (signal) =>
          mapped(paced(samples(signal), intervalMs, signal), (update) => ({ type: 'metrics', ...update }));
      },
    },
    telemetry('/api/telemetry/stream'),
    telemetry('/ws/telemetry'),
    telemetry('/ws/telemetry/:workerId'),
  ];
}

async function* only<T extends { id: string }>(source: AsyncGenerator<T>, id: string | undefined): AsyncGenerator<T> {
  for await (const value of source) if (id === undefined || value.id === id) yield value;
}
