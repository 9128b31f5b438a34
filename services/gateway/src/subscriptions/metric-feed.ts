import { metricBatchSchema, type MetricBatch } from '@gantry/contracts/agents/metric-batch';
import type { Logger } from '@gantry/nest-platform/logger';
import { CoalescingQueue } from './coalescing-queue.js';
import type { StreamRecord } from './stream-reader.port.js';

/** Hands each metric batch to all who listen. A slow listener gets the newest batch per worker: live values, not history. */
export class MetricFeed {
  private readonly queues = new Set<{ queue: CoalescingQueue<MetricBatch>; workerId: string | undefined }>();

  constructor(private readonly logger: Logger) {}

  get subscribers(): number {
    return this.queues.size;
  }

  take(record: StreamRecord): void {
    if (this.queues.size === 0) return;
    const parsed = metricBatchSchema.safeParse(record.json());
    if (!parsed.success) {
      this.logger.warn(
        { subject: record.subject, streamSequence: record.streamSequence },
        'message in METRICS is not a batch',
      );
      return;
    }
    for (const { queue, workerId } of this.queues) {
      if (workerId === undefined || workerId === parsed.data.workerId) queue.push(parsed.data.workerId, parsed.data);
    }
  }

  async *batches(workerId: string | undefined, signal: AbortSignal): AsyncGenerator<MetricBatch> {
    const entry = { queue: new CoalescingQueue<MetricBatch>(), workerId };
    this.queues.add(entry);
    try {
      while (!signal.aborted) yield* await entry.queue.drain(signal);
    } finally {
      this.queues.delete(entry);
    }
  }
}
