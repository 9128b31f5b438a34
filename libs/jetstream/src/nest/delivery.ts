import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { parseJsonBytes, type StreamMessage } from '../stream-message.js';

/**
 * One delivery of a message to a durable consumer, with the four answers it can get. An answer that is lost with the
 * connection only means that the message comes again.
 */
export class Delivery implements StreamMessage {
  readonly streamSequence: number;
  readonly timestampMs: number;
  readonly redeliveries: number;
  /** Names the message, not the delivery: a stream made anew counts from 1 again, so the time of storing is part of it. */
  readonly key: string;

  /** The reply subject is `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream seq>.<seq>.<time>.<pending>[.<random>]`. */
  constructor(
    private readonly nc: NatsConnection,
    private readonly message: Msg,
  ) {
    const tokens = (message.reply ?? '').split('.');
    const at = tokens.length > 9 ? 6 : 4;
    const stored = tokens[at + 3] ?? '';
    this.redeliveries = Number(tokens[at]) - 1;
    this.streamSequence = Number(tokens[at + 1]);
    // Nanoseconds since 1970 are beyond exact numbers; the milliseconds are all but the last six digits.
    this.timestampMs = Number(stored.slice(0, -6));
    this.key = `${this.streamSequence}:${stored}`;
  }

  get subject(): string {
    return this.message.subject;
  }

  get headers(): MsgHdrs | undefined {
    return this.message.headers;
  }

  get bytes(): Uint8Array {
    return this.message.data;
  }

  json(): unknown {
    return parseJsonBytes(this.message.data);
  }

  /** Done. */
  ack(): void {
    this.answer('+ACK');
  }

  /** Not done: deliver it again, to anybody. */
  nak(): void {
    this.answer('-NAK');
  }

  /** Still at it: start counting the time anew. */
  working(): void {
    this.answer('+WPI');
  }

  /** Never deliver it again. */
  term(): void {
    this.answer('+TERM');
  }

  private answer(word: string): void {
    if (!this.nc.isClosed() && this.message.reply !== undefined) this.nc.publish(this.message.reply, word);
  }
}
