import {
  AckPolicy,
  DeliverPolicy,
  type ConsumerInfo,
  type ConsumerMessages,
  type Consumer,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos, nuid } from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { backOff, pause } from './pause.js';
import { jetStreamOf } from './publisher.js';
import { isOver, queuedMessages } from './reading-session.js';
import { manager, readableStream } from './stream-admin.js';
import { DeliveredMessage, type StreamMessage } from './stream-message.js';

export interface FollowStreamOptions {
  /** 1 = start. A sequence that the stream never reached (it was made anew) also means start. */
  fromSequence: number;
  /** Subject filter; default: the whole stream. */
  filter?: string;
  /** Called one at a time; a promise is awaited before the next. What it throws ends the reading and is passed on. */
  onMessage(message: StreamMessage): void | Promise<void>;
  /** Runs once, when everything that was stored at the call has been handed over; once more after each `onStartOver`. */
  onCaughtUp?(): void;
  /** The stream was made anew or put back, so that its messages are handed over from the first one on, also those that are known. */
  onStartOver?(): void;
  /** Runs before the message behind a gap: what stood between it and the last known one has left the stream unread. Not with a filter. */
  onGap?(): void;
  signal: AbortSignal;
  /** Only what is in front of the bodies is sent; their bytes are empty. */
  headersOnly?: boolean;
  /** Messages held in memory at once; lower it for streams of large messages. */
  prefetch?: number;
}

/** Carries what a handler threw past the retries, which are for the broker's failures only. */
class HandlerFailure extends Error {
  constructor(readonly reason: unknown) {
    super('handler failed');
  }
}

/**
 * Reads a stream in order from a sequence and then stays live until the signal aborts. Nothing is skipped: each session checks
 * the numbering of its deliveries, and the next one starts after the last message that was handed over. A session ends
 * with every reconnect, because the reader inside the broker is gone after a restart and the client notices only late.
 */
export async function followStream(
  nc: NatsConnection,
  streamName: string,
  options: FollowStreamOptions,
): Promise<void> {
  const { signal } = options;
  const state = ConnectionState.of(nc);
  const reader = new StreamReader(nc, streamName, options);
  for (let round = 0; !signal.aborted; round += 1) {
    const before = reader.position;
    try {
      await reader.runSession();
    } catch (error) {
      if (error instanceof HandlerFailure) throw error.reason;
      if (nc.isClosed()) throw error;
    }
    if (reader.position !== before) round = 0;
    if (signal.aborted) return;
    await pause(backOff(round, 10, 500), signal);
    await state.settle(5_000, signal);
  }
}

/** By which a stream is known again. */
interface Landmark {
  readonly sequence: number;
  readonly timestampMs: number;
}

class StreamReader {
  /** Sequence of the last message handed over. */
  position: number;
  /** The last message handed over, or the one at which the reading began; undefined if nobody knows it. */
  private landmark: Landmark | undefined;
  private created: string | undefined;
  private caughtUp = false;
  private busy = false;

  constructor(
    private readonly nc: NatsConnection,
    private readonly streamName: string,
    private readonly options: FollowStreamOptions,
  ) {
    this.position = options.fromSequence - 1;
  }

  async runSession(): Promise<void> {
    const jsm = await manager(this.nc);
    const info = await readableStream(this.nc, this.streamName);
    if (this.created === undefined) this.landmark ??= await this.landmarkAt(this.position);
    else if (await this.isReplaced(info)) this.startOver();
    this.created = String(info.created);
    if (this.position > info.state.last_seq) this.position = 0;
    const { filter, headersOnly } = this.options;
    const consumerInfo = await jsm.consumers.add(this.streamName, {
      name: `follow_${nuid.next()}`,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.position + 1,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(30_000),
      ...(filter === undefined ? {} : { filter_subject: filter }),
      ...(headersOnly === true ? { headers_only: true } : {}),
    });
    if (consumerInfo.num_pending === 0) this.reachEnd();
    const consumer = jetStreamOf(this.nc).consumers.getConsumerFromInfo(consumerInfo);
    try {
      await this.read(consumer, consumerInfo);
    } finally {
      consumer.delete().catch(() => undefined);
    }
  }

  private async read(consumer: Consumer, info: ConsumerInfo): Promise<void> {
    const { signal, filter, prefetch = 500 } = this.options;
    // The default heartbeat of 15 s would leave a reader deaf for half a minute after the broker restarted.
    const messages = await consumer.consume({ max_messages: prefetch, idle_heartbeat: 1_000, expires: 10_000 });
    const stop = (): void => messages.stop();
    const session = { stale: false };
    const unsubscribe = ConnectionState.of(this.nc).onChange(stop);
    signal.addEventListener('abort', stop, { once: true });
    // It may have been aborted before there was a listener, for one by `onCaughtUp`.
    if (signal.aborted) stop();
    void this.watch(messages, session);
    let delivered = 0;
    try {
      for await (const message of messages) {
        if (signal.aborted) return;
        const { deliverySequence, streamSequence, pending } = message.info;
        if (deliverySequence !== delivered + 1) return;
        delivered = deliverySequence;
        this.busy = true;
        try {
          if (filter === undefined && this.position > 0 && streamSequence > this.position + 1) this.options.onGap?.();
          const outcome = this.options.onMessage(new DeliveredMessage(message));
          if (outcome instanceof Promise) await outcome;
        } catch (error) {
          throw new HandlerFailure(error);
        } finally {
          this.busy = false;
        }
        this.position = streamSequence;
        this.landmark = { sequence: streamSequence, timestampMs: Math.floor(message.info.timestampNanos / 1_000_000) };
        if (!this.caughtUp && (delivered >= info.num_pending || pending === 0)) this.reachEnd();
        if (session.stale && queuedMessages(messages) === 0) return;
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
      messages.stop();
    }
  }

  /** Ends a session whose reader is gone. While messages wait here, silence is our own slowness, so those are read first. */
  private async watch(messages: ConsumerMessages, session: { stale: boolean }): Promise<void> {
    for await (const status of messages.status()) {
      const idle = !this.busy && queuedMessages(messages) === 0;
      // Nothing to deliver for a second: the end is reached even if messages counted at the start were dropped meanwhile.
      if (status.type === 'heartbeat' && idle) this.reachEnd();
      if (!isOver(status)) continue;
      if (idle) messages.stop();
      else session.stale = true;
    }
  }

  /**
   * A time of creation that differs proves nothing: when a stream is changed, a broker of 2.9 that is not in its first life notes the begin
   * of this life, and tells it from its next life on. Then the newest known message decides. If that is gone, too, reading everything
   * again is the safe way.
   */
  private async isReplaced({ created, state }: StreamInfo): Promise<boolean> {
    if (this.position > state.last_seq) return true;
    if (String(created) === this.created) return false;
    const { landmark } = this;
    if (landmark === undefined) return this.position > 0;
    return (await this.landmarkAt(landmark.sequence))?.timestampMs !== landmark.timestampMs;
  }

  private async landmarkAt(sequence: number): Promise<Landmark | undefined> {
    if (sequence === 0) return undefined;
    const found = await (await manager(this.nc)).streams.getMessage(this.streamName, { seq: sequence });
    return found === null ? undefined : { sequence, timestampMs: found.time.getTime() };
  }

  private startOver(): void {
    this.position = 0;
    this.landmark = undefined;
    this.caughtUp = false;
    this.options.onStartOver?.();
  }

  private reachEnd(): void {
    if (this.caughtUp) return;
    this.caughtUp = true;
    this.options.onCaughtUp?.();
  }
}
