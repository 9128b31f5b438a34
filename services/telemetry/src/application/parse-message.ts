import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { z } from 'zod';

/** Several projections look at the same message, one after the other. */
const parsedMessages = new WeakMap<StreamMessage, { schema: z.ZodType; value: unknown }>();

/** The body in its contract's shape; a message that will never parse is refused for good and so reaches the dead letters. */
export function parseMessage<Schema extends z.ZodType>(message: StreamMessage, schema: Schema): z.output<Schema> {
  const known = parsedMessages.get(message);
  if (known?.schema === schema) return known.value as z.output<Schema>;
  let body: unknown;
  try {
    body = message.json();
  } catch (cause) {
    throw malformed(message, 'is not JSON', cause);
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(message, parsed.error.issues[0]?.message ?? 'does not fit', parsed.error);
  parsedMessages.set(message, { schema, value: parsed.data });
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
