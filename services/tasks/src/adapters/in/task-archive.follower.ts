import { streams } from '@gantry/contracts/messaging/streams';
import type { ConsumerHost } from '@gantry/jetstream/nest/consumer-host';
import { Quarantine } from '@gantry/jetstream/quarantine';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { JetStreamTaskArchive } from '../out/jetstream-task-archive.js';

/** Makes stream ARCHIVE and keeps the index of it: nothing is served before it is complete. */
export class TaskArchiveFollower implements OnModuleInit, OnApplicationShutdown {
  private readonly stop = new AbortController();

  private readonly quarantine: Quarantine;

  constructor(
    private readonly host: ConsumerHost,
    private readonly archive: JetStreamTaskArchive,
  ) {
    const { name: stream } = streams.archive;
    // A segment stands for itself: the others are found without it.
    this.quarantine = new Quarantine(host, { stream, consumer: 'tasks-archive', later: 'go on', headersOnly: true });
  }

  async onModuleInit(): Promise<void> {
    const { archive, quarantine } = this;
    const { nc, logger } = this.host;
    await ensureStream(nc, streams.archive);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const reading = quarantine.follow({
        fromSequence: 1,
        apply: (message, late) => archive.take(message, late),
        onPassed: ({ streamSequence }) => archive.passed(streamSequence),
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
    this.host.logger.error({ err: error }, 'reading of stream ARCHIVE ended');
    this.host.health.set('task-archive', 'unhealthy', 'The reading of stream ARCHIVE ended; restart the service.');
  }
}
