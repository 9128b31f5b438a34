import type { JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';

/** A message as it lies in a stream. */
export interface StreamMessage {
  readonly subject: string;
  readonly streamSequence: number;
  /** When the broker stored it, epoch milliseconds. */
  readonly timestampMs: number;
  /** How often it was delivered before this time; 0 = first delivery. */
  readonly redeliveries: number;
  readonly headers?: MsgHdrs;
  readonly bytes: Uint8Array;
  /** The body parsed as JSON; throws on a body that is not JSON. */
  json(): unknown;
}

/** A view onto the client's message, without copying its body. */
export class DeliveredMessage implements StreamMessage {
  readonly subject: string;
  readonly streamSequence: number;
  readonly timestampMs: number;
  readonly redeliveries: number;
  readonly bytes: Uint8Array;

  constructor(private readonly message: JsMsg) {
    const { info } = message;
    this.subject = message.subject;
    this.streamSequence = info.streamSequence;
    this.timestampMs = Math.floor(info.timestampNanos / 1_000_000);
    this.redeliveries = info.deliveryCount - 1;
    this.bytes = message.data;
  }

  get headers(): MsgHdrs | undefined {
    return this.message.headers;
  }

  json(): unknown {
    return parseJsonBytes(this.bytes);
  }
}

/** Faster than `TextDecoder` for the small bodies that most messages are. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}
