import type { NatsConnection } from '@nats-io/transport-node';
import { followStream } from '@gantry/jetstream/follow-stream';
import { manager, waitForStream } from '@gantry/jetstream/stream-admin';
import type { FollowRequest, StreamReader } from '../subscriptions/stream-reader.port.js';

/** Streams are made by their owners, perhaps after the gateway started: reading waits for them. */
export class JetStreamReader implements StreamReader {
  constructor(private readonly nc: NatsConnection) {}

  async follow({ stream, from, signal, ...rest }: FollowRequest): Promise<void> {
    await this.exists(stream, signal);
    if (signal.aborted) return;
    const fromSequence =
      from === 'new' ? (await (await manager(this.nc)).streams.info(stream)).state.last_seq + 1 : from;
    await followStream(this.nc, stream, { fromSequence, signal, ...rest });
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
