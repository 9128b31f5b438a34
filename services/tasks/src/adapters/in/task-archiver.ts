import type { KvLease } from '@gantry/jetstream/kv-lease';
import { pause } from '@gantry/jetstream/pause';
import type { Logger } from '@gantry/nest-platform/logger';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ArchiveClosedTasks } from '../../application/archive/archive-closed-tasks.js';

export interface TaskArchiverOptions {
  readonly lease: KvLease;
  readonly work: ArchiveClosedTasks;
  /** Between two steps while there is more to do: a full step is 500 tasks. */
  readonly busyPauseMs: number;
  /** Between two looks when there is nothing to do; less than a third of the lease. */
  readonly idlePauseMs: number;
  readonly stopping: AbortController;
  readonly logger: Logger;
}

/** Archives for as long as this process has the lease; of several replicas one does. */
export class TaskArchiver implements OnApplicationBootstrap, OnModuleDestroy {
  private running: Promise<void> = Promise.resolve();
  private leading = false;

  constructor(private readonly options: TaskArchiverOptions) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  /** Before the connection closes. A step that is cut off is begun again by whoever is next. */
  async onModuleDestroy(): Promise<void> {
    const { stopping, lease, logger } = this.options;
    stopping.abort();
    await this.running;
    await lease.release().catch((error: unknown) => logger.warn({ err: error }, 'archiver lease was not released'));
  }

  private async run(): Promise<void> {
    const { stopping, busyPauseMs, idlePauseMs } = this.options;
    while (!stopping.signal.aborted) {
      const more = await this.turn();
      await pause(more ? busyPauseMs : idlePauseMs, stopping.signal);
    }
  }

  private async turn(): Promise<boolean> {
    const { lease, work, stopping, logger } = this.options;
    try {
      const held = await lease.acquire();
      // Whoever had the lease meanwhile may have archived: look at the stream again from its start.
      if (!held || !this.leading) work.stop();
      this.leading = held;
      if (!held) return false;
      const { archivedTasks, removedMessages, more } = await work.step();
      if (archivedTasks + removedMessages > 0) logger.debug({ archivedTasks, removedMessages }, 'ended tasks archived');
      return more || removedMessages > 0;
    } catch (error) {
      if (!stopping.signal.aborted) logger.warn({ err: error }, 'ended tasks were not archived; trying again');
      work.rescan();
      return false;
    }
  }
}
