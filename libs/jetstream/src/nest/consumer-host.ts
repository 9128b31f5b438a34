import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StreamMessage } from '../stream-message.js';

/** What a consumer needs from the service it runs in. */
export interface ConsumerHost {
  nc: NatsConnection;
  logger: Logger;
  health: HealthState;
  metrics: MessagingMetrics;
}

/** Who wrote a dead letter, and so takes its message when it is replayed. */
export interface DeadLetterAuthor {
  /** Handles a message from the dead letters once more, in its turn; what the handler throws comes back. */
  replay(message: StreamMessage): Promise<void>;
}

/** A durable consumer with its handler, started by the transport. */
export interface RunningConsumer extends DeadLetterAuthor {
  /** Stops taking messages, finishes what was begun, gives the rest back to the broker. */
  stop(): Promise<void>;
}

export type MessageHandler = (message: StreamMessage) => Promise<unknown>;
export type BatchHandler = (messages: StreamMessage[]) => Promise<unknown>;
