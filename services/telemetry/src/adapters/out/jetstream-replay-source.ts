import { followStream } from '@gantry/jetstream/follow-stream';
import { manager } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { ReplaySource } from '../../application/replay-missed.js';
import type { ConfirmedStream } from '../../application/confirmed-stream.port.js';
import { durableOf } from '../in/durables.js';

const missing: number[] = [JetStreamApiCodes.StreamNotFound, JetStreamApiCodes.ConsumerNotFound];

export class JetStreamReplaySource implements ReplaySource, ConfirmedStream {
  constructor(
    private readonly nc: NatsConnection,
    private readonly stopping: AbortSignal,
  ) {}

  async deliveredSequence(stream: string): Promise<number> {
    const jsm = await manager(this.nc);
    try {
      const info = await jsm.consumers.info(stream, durableOf(stream));
      return info.delivered.stream_seq;
    } catch (error) {
      if (error instanceof JetStreamApiError && missing.includes(error.code)) return 0;
      throw error;
    }
  }

  async acknowledgedSequence(stream: string): Promise<number> {
    const jsm = await manager(this.nc);
    return (await jsm.consumers.info(stream, durableOf(stream))).ack_floor.stream_seq;
  }

  async holds(stream: string, sequence: number): Promise<boolean> {
    const jsm = await manager(this.nc);
    return (await jsm.streams.getMessage(stream, { seq: sequence })) !== null;
  }

  async read(
    stream: string,
    from: number,
    to: number,
    onMessage: (message: StreamMessage) => Promise<void>,
  ): Promise<void> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, this.stopping]);
    await followStream(this.nc, stream, {
      fromSequence: from,
      prefetch: 200,
      signal,
      // The newest messages of the range may have left the stream: then its end is the end of the range.
      onCaughtUp: () => done.abort(),
      onMessage: async (message) => {
        if (message.streamSequence > to) {
          done.abort();
          return;
        }
        await onMessage(message);
        if (message.streamSequence === to) done.abort();
      },
    });
    this.stopping.throwIfAborted();
  }
}
