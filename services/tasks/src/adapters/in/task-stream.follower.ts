import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { followStream } from '@gantry/jetstream/follow-stream';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import type { Clock } from '@gantry/kernel/clock';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { PurgeLeftoversHandler } from '../../application/purge-leftovers.handler.js';
import type { TaskCommandExecutor } from '../../application/task-command.executor.js';

export interface TaskStreamFollowerOptions {
  readonly nc: NatsConnection;
  readonly executor: TaskCommandExecutor;
  readonly barrier: StreamBarrier;
  readonly leftovers: PurgeLeftoversHandler;
  readonly clock: Clock;
  readonly health: HealthState;
  readonly logger: Logger;
}

/** Makes this service's streams and reads TASKS from the start: nothing is served before the board is complete. */
export class TaskStreamFollower implements OnModuleInit, OnApplicationShutdown {
  private readonly stop = new AbortController();

  constructor(private readonly options: TaskStreamFollowerOptions) {}

  async onModuleInit(): Promise<void> {
    const { nc, executor, barrier, leftovers, logger, clock } = this.options;
    for (const stream of [streams.tasks, streams.artifacts, streams.reports]) await ensureStream(nc, stream);
    const begin = clock.now();
    let commits = 0;
    await new Promise<void>((resolve, reject) => {
      const reading = followStream(nc, streams.tasks.name, {
        fromSequence: 1,
        onMessage: (message) => {
          commits += 1;
          const { subject, streamSequence } = message;
          if (!executor.isEcho(streamSequence)) {
            const stored = { commit: message.json() as Commit<TaskEvent>, streamSequence, subject };
            executor.absorb(stored);
            leftovers.observe(stored);
          }
          barrier.advance(streamSequence);
        },
        onCaughtUp: resolve,
        signal: this.stop.signal,
      });
      reading.catch((error: unknown) => {
        this.fail(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    logger.info({ commits, tasks: executor.board.size, milliseconds: clock.now() - begin }, 'board complete');
    leftovers.purge().catch((error: unknown) => logger.warn({ err: error }, 'files of deleted tasks are still stored'));
  }

  /** Not awaited: the connection closes next and ends the reading in any case. */
  onApplicationShutdown(): void {
    this.stop.abort();
  }

  /** A commit that cannot be folded is a defect: say so loudly rather than serve a board that silently stands still. */
  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    this.options.logger.error({ err: error }, 'reading of stream TASKS ended');
    this.options.health.set('task-board', 'unhealthy', 'The reading of stream TASKS ended; restart the service.');
  }
}
