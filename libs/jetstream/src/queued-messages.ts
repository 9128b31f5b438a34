import type { ConsumerMessages } from '@nats-io/jetstream';

/**
 * Messages that have come and wait to be handed over. `getPending` of the client (3.4.0) also counts the pulls that it queues
 * between messages, and does not take them off when it has made them.
 */
export function queuedMessages(messages: ConsumerMessages): number {
  return messages.getReceived() - messages.getProcessed();
}
