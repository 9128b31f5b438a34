import type { NatsConnection } from '@nats-io/transport-node';
import type { DeadLetterAuthor } from './consumer-host.js';

export interface ReplayTarget {
  readonly stream: string;
  /** As its letters name it. */
  readonly consumer: string;
  readonly author: DeadLetterAuthor;
}

const targets = new WeakMap<NatsConnection, ReplayTarget[]>();

/** The readers of this connection whose letters the transport lets administrators replay; they register before it listens. */
export function replayTargetsOf(nc: NatsConnection): ReplayTarget[] {
  let known = targets.get(nc);
  if (known === undefined) {
    known = [];
    targets.set(nc, known);
  }
  return known;
}
