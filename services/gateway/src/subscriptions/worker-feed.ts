import type { WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import type { Logger } from '@gantry/nest-platform/logger';
import { CoalescingQueue } from './coalescing-queue.js';
import { Throttle } from './throttle.js';

/** At most one update a second per worker. */
const PAUSE_MS = 1_000;
/** A worker that went silent changes its status without any message. */
const SILENCE_MS = 5_000;

/**
 * Workers as the scheduler sees them: heartbeats and task changes say when to look, the scheduler says what is true. It is
 * asked only while somebody listens.
 */
export class WorkerFeed {
  private readonly queues = new Set<CoalescingQueue<WorkerView>>();
  private readonly known = new Map<string, string>();
  private readonly refresh: Throttle;
  private silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly list: () => Promise<WorkerView[]>,
    private readonly logger: Logger,
  ) {
    this.refresh = new Throttle(() => this.compare(), PAUSE_MS);
  }

  get subscribers(): number {
    return this.queues.size;
  }

  /** Something happened that may have changed a worker. */
  touch(): void {
    if (this.queues.size > 0) this.refresh.request();
  }

  /** All workers at once, then each that changed. */
  async *workers(signal: AbortSignal): AsyncGenerator<WorkerView> {
    const queue = new CoalescingQueue<WorkerView>();
    this.queues.add(queue);
    this.silence ??= setInterval(() => this.touch(), SILENCE_MS).unref();
    try {
      for (const worker of await this.list()) yield worker;
      while (!signal.aborted) yield* await queue.drain(signal);
    } finally {
      this.queues.delete(queue);
      if (this.queues.size === 0) this.sleep();
    }
  }

  private sleep(): void {
    clearInterval(this.silence);
    this.silence = undefined;
    this.known.clear();
  }

  private async compare(): Promise<void> {
    let workers: WorkerView[];
    try {
      workers = await this.list();
    } catch (error) {
      this.logger.debug({ err: error }, 'workers could not be listed');
      return;
    }
    for (const worker of workers) {
      const text = JSON.stringify(worker);
      if (this.known.get(worker.id) === text) continue;
      this.known.set(worker.id, text);
      for (const queue of this.queues) queue.push(worker.id, worker);
    }
  }
}
