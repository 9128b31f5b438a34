import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { AckPolicy, type Consumer, type ConsumerMessages, DeliverPolicy, type JsMsg, ReplayPolicy } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { ConnectionState } from '../connection-state.js';
import { backOff, pause } from '../pause.js';
import { jetStreamOf } from '../publisher.js';
import { manager, readableStream } from '../stream-admin.js';

export interface DurableReaderOptions {
  stream: StreamDefinition;
  durable: string;
  filter: string | undefined;
  ackWaitMs: number;
  /** Messages asked for ahead of the one being taken. */
  prefetch: number;
  /** Awaited before the next message is taken: this is the back-pressure. */
  take(message: JsMsg): void | Promise<void>;
  onState(reading: boolean, reason?: string): void;
}

/** Pulls the messages of one durable consumer for as long as the process lives, through restarts of the broker. */
export class DurableReader {
  private current: ConsumerMessages | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly options: DurableReaderOptions,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const { onState } = this.options;
    const state = ConnectionState.of(this.nc);
    const stop = (): void => this.current?.stop();
    signal.addEventListener('abort', stop, { once: true });
    for (let round = 0; !signal.aborted; round += 1) {
      try {
        const consumer = await this.ensureConsumer();
        onState(true);
        if (await this.read(consumer, signal)) round = 0;
      } catch (error) {
        if (signal.aborted || this.nc.isClosed()) return;
        // Not there yet (its owner starts later), or the broker is away: either way it is waited for.
        onState(false, error instanceof Error ? error.message : String(error));
      }
      if (signal.aborted) return;
      await pause(backOff(round, 10, 1_000), signal);
      await state.settle(5_000, signal);
    }
  }

  private async ensureConsumer(): Promise<Consumer> {
    const { stream, durable, filter, ackWaitMs, prefetch } = this.options;
    await readableStream(this.nc, stream.name);
    const jsm = await manager(this.nc);
    const info = await jsm.consumers.add(stream.name, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      replay_policy: ReplayPolicy.Instant,
      ack_wait: nanos(ackWaitMs),
      // Counting failures is our business: the broker also counts what it delivered twice after a crash.
      max_deliver: -1,
      // For several replicas, each with a full prefetch and as much in hand.
      max_ack_pending: Math.max(2_000, prefetch * 16),
      ...(filter === undefined ? {} : { filter_subject: filter }),
    });
    return jetStreamOf(this.nc).consumers.getConsumerFromInfo(info);
  }

  /** One session, ended by a reconnect, a vanished consumer or the signal. True if it delivered anything. */
  private async read(consumer: Consumer, signal: AbortSignal): Promise<boolean> {
    const { prefetch, take } = this.options;
    const messages = await consumer.consume({ max_messages: prefetch, expires: 10_000, idle_heartbeat: 1_000 });
    this.current = messages;
    const session = { stale: false, busy: false };
    const unsubscribe = ConnectionState.of(this.nc).onChange(() => messages.stop());
    void watch(messages, session);
    let delivered = false;
    const unused: JsMsg[] = [];
    try {
      for await (const message of messages) {
        delivered = true;
        if (signal.aborted) {
          unused.push(message);
          continue;
        }
        session.busy = true;
        const taken = take(message);
        if (taken instanceof Promise) await taken;
        session.busy = false;
        if (session.stale && messages.getPending() === 0) messages.stop();
      }
    } finally {
      unsubscribe();
      messages.stop();
      this.current = undefined;
    }
    if (signal.aborted) await this.withdraw(consumer, unused);
    return delivered;
  }

  /**
   * Gives back what was received and not begun, so that another replica has it at once. A broker of 2.9 that finds only dead
   * pull requests for a message given back forgets it until the acknowledgement is overdue; asking about the consumer
   * makes it drop them first.
   */
  private async withdraw(consumer: Consumer, unused: JsMsg[]): Promise<void> {
    if (this.nc.isClosed()) return;
    await consumer.info().catch(() => undefined);
    if (!this.nc.isClosed()) for (const message of unused) message.nak();
  }
}

/** See `follow-stream.ts`: silence ends a session only when it is the broker's, not our own slowness. */
async function watch(messages: ConsumerMessages, session: { stale: boolean; busy: boolean }): Promise<void> {
  for await (const status of messages.status()) {
    switch (status.type) {
      case 'heartbeats_missed':
      case 'consumer_not_found':
      case 'consumer_deleted':
      case 'stream_not_found':
      case 'no_responders':
        if (!session.busy && messages.getPending() === 0) messages.stop();
        else session.stale = true;
        break;
      default:
    }
  }
}
