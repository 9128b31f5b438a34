import type { ConsumerMessages, ConsumerNotification } from '@nats-io/jetstream';

/**
 * Messages that have come and wait to be handed over. `getPending` of the client (3.4.0) also counts the pulls that it queues
 * between messages, and does not take them off when it has made them.
 */
export function queuedMessages(messages: ConsumerMessages): number {
  return messages.getReceived() - messages.getProcessed();
}

/** True if nothing more can be expected of the consumer: it is gone, or its broker has been silent for longer than it promised. */
export function isOver({ type }: ConsumerNotification): boolean {
  switch (type) {
    case 'heartbeats_missed':
    case 'consumer_not_found':
    case 'consumer_deleted':
    case 'stream_not_found':
    case 'no_responders':
      return true;
    default:
      return false;
  }
}
