import type { JsMsg } from '@nats-io/jetstream';

const KEPT = 20_000;

/**
 * Messages this process finished lately. A broker that was killed delivers some acknowledged messages again; those need only
 * another acknowledgement. Keyed by sequence and time of storing, because a stream made anew counts from 1 again.
 */
export class RecentDeliveries {
  private readonly keys = new Set<string>();

  has(message: JsMsg): boolean {
    // Not only redeliveries: a broker that lost the consumer's state counts deliveries from 1 again.
    return this.keys.has(keyOf(message));
  }

  add(message: JsMsg): void {
    this.keys.add(keyOf(message));
    if (this.keys.size <= KEPT) return;
    const oldest = this.keys.values().next().value;
    if (oldest !== undefined) this.keys.delete(oldest);
  }
}

export function keyOf(message: JsMsg): string {
  const { streamSequence, timestampNanos } = message.info;
  return `${streamSequence}:${timestampNanos}`;
}
