import { streams } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { manager } from '@gantry/jetstream/stream-admin';
import type { NatsConnection } from '@nats-io/transport-node';

/** The least that a reader of heartbeats does: takes them from their stream and parses them. In the process of the bench. */
export class BareHeartbeats {
  private readonly stopping = new AbortController();

  static async start(nc: NatsConnection): Promise<BareHeartbeats> {
    const { state } = await (await manager(nc)).streams.info(streams.fleet.name);
    const reader = new BareHeartbeats();
    void followStream(nc, streams.fleet.name, {
      fromSequence: state.last_seq + 1,
      onMessage: (message) => void message.json(),
      signal: reader.stopping.signal,
    }).catch(() => undefined);
    return reader;
  }

  stop(): void {
    this.stopping.abort();
  }
}
