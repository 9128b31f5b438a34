import type { NatsConnection } from '@nats-io/transport-node';
import { followStream } from '@gantry/jetstream/follow-stream';
import { isStreamMissing, manager, waitForStream } from '@gantry/jetstream/stream-admin';
import type { FollowRequest, StreamReader } from '../subscriptions/stream-reader.port.js';

const PAUSE_MS = 100;

/** Streams are made by their owners, perhaps after the gateway started: reading waits for them. */
export class JetStreamReader implements StreamReader {
  constructor(private readonly nc: NatsConnection) {}

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

  async follow({ stream, from, signal, ...rest }: FollowRequest): Promise<void> {
    await this.exists(stream, signal);
    if (!signal.aborted) await followStream(this.nc, stream, { fromSequence: from, signal, ...rest });
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
