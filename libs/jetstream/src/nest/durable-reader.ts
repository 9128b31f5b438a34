import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { ConnectionState } from '../connection-state.js';
import { backOff, pause } from '../pause.js';
import { manager, readableStream } from '../stream-admin.js';
import type { Delivery } from './delivery.js';
import { PullSession } from './pull-session.js';

export interface DurableReaderOptions {
  stream: StreamDefinition;
  durable: string;
  filter: string | undefined;
  ackWaitMs: number;
  /** The most messages in hand at once. */
  limit: number;
  /** See `PullSessionOptions`. */
  gatherMs?: number | undefined;
  /** Messages in hand now. */
  held(): number;
  take(delivery: Delivery): void;
  onState(reading: boolean, reason?: string): void;
}

/** Reads one durable consumer for as long as the process lives, through restarts of the broker. */
export class DurableReader {
  private readonly stopping = new AbortController();
  private readonly reading: Promise<void>;
  private session: PullSession | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: DurableReaderOptions,
  ) {
    this.reading = this.run();
  }

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Tell it when messages have left the hand. */
  makeRoom(): void {
    this.session?.refill();
  }

  /** Resolves when nothing more comes and the broker knows it: from then on messages may be given back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const { session } = this;
    const late = ConnectionState.of(this.nc).connected ? await session?.drain() : undefined;
    session?.stop();
    await this.reading;
    for (const delivery of late ?? []) delivery.nak();
  }

  private async run(): Promise<void> {
    const { signal } = this;
    const state = ConnectionState.of(this.nc);
    for (let round = 0; !signal.aborted; round += 1) {
      try {
        await this.ensureConsumer();
        if (await this.read(state)) round = 0;
      } catch (error) {
        if (this.nc.isClosed()) return;
        // Not there yet (its owner starts later), or the broker is away: either way it is waited for.
        this.options.onState(false, error instanceof Error ? error.message : String(error));
      }
      await pause(backOff(round, 10, 1_000), signal);
      await state.settle(5_000, signal);
    }
    await this.withdraw();
  }

  private async ensureConsumer(): Promise<void> {
    const { stream, durable, filter, ackWaitMs, limit } = this.options;
    await readableStream(this.nc, stream.name);
    const jsm = await manager(this.nc);
    await jsm.consumers.add(stream.name, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      replay_policy: ReplayPolicy.Instant,
      ack_wait: nanos(ackWaitMs),
      // Counting failures is our business: the broker also counts what it delivered twice after a crash.
      max_deliver: -1,
      // Enough for several replicas with full hands.
      max_ack_pending: Math.max(2_000, limit * 16),
      ...(filter === undefined ? {} : { filter_subject: filter }),
    });
  }

  /** One session, until a reconnect, a vanished consumer or a stop. True if anything came. */
  private async read(state: ConnectionState): Promise<boolean> {
    const { options } = this;
    const { stream, durable, limit, gatherMs } = options;
    if (this.signal.aborted) return false;
    let delivered = false;
    const session = new PullSession(this.nc, {
      stream: stream.name,
      durable,
      capacity: () => limit - options.held(),
      portion: Math.ceil(limit / 4),
      gatherMs,
      take: (delivery) => {
        delivered = true;
        options.take(delivery);
      },
    });
    this.session = session;
    options.onState(true);
    // The requests we made are forgotten by a broker that restarted.
    const unsubscribe = state.onChange((connected) => session.stop(connected ? 'reconnected' : 'disconnected'));
    try {
      const reason = await session.ended;
      if (!this.signal.aborted && state.connected && reason !== 'reconnected') options.onState(false, reason);
    } finally {
      unsubscribe();
      this.session = undefined;
    }
    return delivered;
  }

  /**
   * A broker of 2.9 that finds only dead pull requests for a message given back forgets the message until its
   * acknowledgement is overdue. Asking about the consumer makes it drop them.
   */
  private async withdraw(): Promise<void> {
    if (this.nc.isClosed()) return;
    const jsm = await manager(this.nc);
    await jsm.consumers.info(this.options.stream.name, this.options.durable).catch(() => undefined);
  }
}
