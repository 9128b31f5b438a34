import { Counter, type Registry } from 'prom-client';
import type { NatsConnection } from '@nats-io/transport-node';
import { followStream } from '@gantry/jetstream/follow-stream';
import { isStreamMissing, manager, waitForStream } from '@gantry/jetstream/stream-admin';
import type { Logger } from '@gantry/nest-platform/logger';
import type { FollowRequest, StreamReader } from '../subscriptions/stream-reader.port.js';

const PAUSE_MS = 100;

/** Streams are made by their owners, perhaps after the gateway started: reading waits for them. */
export class JetStreamReader implements StreamReader {
  private readonly skipped: Counter<'stream'>;

  constructor(
    private readonly nc: NatsConnection,
    private readonly logger: Logger,
    registry: Registry,
  ) {
    this.skipped = new Counter({
      name: 'gantry_feed_messages_skipped_total',
      help: 'Stream messages that a live feed could not read and left out.',
      labelNames: ['stream'],
      registers: [registry],
    });
  }

  async next(stream: string): Promise<number> {
    for (;;) {
      try {
        return (await (await manager(this.nc)).streams.info(stream)).state.last_seq + 1;
      } catch (error) {
        if (isStreamMissing(error)) return 1;
        if (this.nc.isClosed()) throw error;
        // A broker that comes up answers before JetStream has read its files.
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /** What a feed cannot read is left out: the service that owns the state has it among its dead letters, and subscribers go on. */
  async follow(request: FollowRequest): Promise<void> {
    const { stream, from, signal, ...rest } = request;
    await this.exists(stream, signal);
    if (signal.aborted) return;
    await followStream(this.nc, stream, {
      ...rest,
      fromSequence: from,
      signal,
      onMessage: (message) => {
        try {
          return request.onMessage(message);
        } catch (error) {
          const { subject, streamSequence } = message;
          this.skipped.inc({ stream });
          this.logger.warn({ stream, subject, streamSequence, err: error }, 'unreadable message skipped');
        }
      },
    });
  }

  private async exists(stream: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await waitForStream(this.nc, stream, { timeoutMs: 2_000 });
        return;
      } catch (error) {
        if (this.nc.isClosed()) throw error;
      }
    }
  }
}
