import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { z } from 'zod';

/**
 * Several projections look at the same batch, one after the other. By batch and not by message: thousands of entries here
 * would be looked through at each garbage collection.
 */
const parsedBatches = new WeakMap<readonly StreamMessage[], { schema: z.ZodType; bodies: readonly unknown[] }>();

/** The bodies in their contract's shape; a message that will never parse is refused for good and so reaches the dead letters. */
export function parseMessages<Schema extends z.ZodType>(
  messages: readonly StreamMessage[],
  schema: Schema,
): readonly z.output<Schema>[] {
  const known = parsedBatches.get(messages);
  if (known?.schema === schema) return known.bodies as readonly z.output<Schema>[];
  const bodies = messages.map((message) => parseMessage(message, schema));
  parsedBatches.set(messages, { schema, bodies });
  return bodies;
}

function parseMessage<Schema extends z.ZodType>(message: StreamMessage, schema: Schema): z.output<Schema> {
  let body: unknown;
  try {
    body = message.json();
  } catch (cause) {
    throw malformed(message, 'is not JSON', cause);
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(message, parsed.error.issues[0]?.message ?? 'does not fit', parsed.error);
  return parsed.data;
}

function malformed(message: StreamMessage, reason: string, cause: unknown): GantryError {
  return new GantryError(
    'TELEMETRY.MALFORMED_MESSAGE',
    'invalid',
    `Message ${message.streamSequence} on ${message.subject} does not follow its contract: ${reason}`,
    { retryable: false, cause },
  );
}
