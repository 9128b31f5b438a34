import { streams } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { JetStreamTaskArchive } from '../out/jetstream-task-archive.js';

/** Makes stream ARCHIVE and keeps the index of it: nothing is served before it is complete. */
export class TaskArchiveFollower implements OnModuleInit, OnApplicationShutdown {
  private readonly stop = new AbortController();

  constructor(
    private readonly nc: NatsConnection,
    private readonly archive: JetStreamTaskArchive,
    private readonly health: HealthState,
    private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    const { nc, archive, logger } = this;
    await ensureStream(nc, streams.archive);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const reading = followStream(nc, streams.archive.name, {
        fromSequence: 1,
        headersOnly: true,
        onMessage: (message) => archive.take(message),
        onCaughtUp: resolve,
        signal: this.stop.signal,
      });
      reading.catch((error: unknown) => {
        this.fail(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    const { size, bytes } = archive.index;
    const milliseconds = Math.round(performance.now() - began);
    logger.info({ entries: size, bytes, milliseconds }, 'index of archived tasks complete');
  }

  onApplicationShutdown(): void {
    this.stop.abort();
  }

  private fail(error: unknown): void {
    if (this.stop.signal.aborted) return;
    this.logger.error({ err: error }, 'reading of stream ARCHIVE ended');
    this.health.set('task-archive', 'unhealthy', 'The reading of stream ARCHIVE ended; restart the service.');
  }
}
