import { z } from 'zod';
import { defineRequest } from './request.js';

/**
 * Messages that no handler could process, kept in stream DLQ. Every service that consumes streams answers the questions about
 * them, whichever of them is asked; a replay goes to the processes that run the consumer which gave up.
 */
export const deadLetterStates = ['open', 'replayed', 'discarded'] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

export const deadLetterSchema = z.object({
  /** Sequence in stream DLQ. */
  id: z.string(),
  stream: z.string(),
  consumer: z.string(),
  subject: z.string(),
  /** Sequence in the stream it came from. */
  sequence: z.int(),
  code: z.string(),
  reason: z.string(),
  failures: z.int(),
  sizeBytes: z.int(),
  deadLetteredAt: z.int(),
  state: z.enum(deadLetterStates),
  resolvedAt: z.int().nullable(),
  /** Name of the administrator. */
  resolvedBy: z.string().nullable(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export const deadLetterDetailSchema = deadLetterSchema.extend({
  headers: z.array(z.object({ key: z.string(), value: z.string() })),
  /** The beginning of the body as text, without secrets; null where it cannot be shown. */
  payload: z.string().nullable(),
  payloadComplete: z.boolean(),
});
export type DeadLetterDetail = z.infer<typeof deadLetterDetailSchema>;

const id = z.string().regex(/^[1-9]\d{0,15}$/, 'Take the id from the list of dead letters.');
const token = z
  .string()
  .regex(/^[\w-]{1,100}$/, 'Use the name as it is shown in the list.')
  .optional();

/** Admin only. Newest first; a page can be short, or empty, and still have a `next`: the search goes only so far at once. */
export const listDeadLetters = defineRequest({
  subject: 'query.dead-letters.list',
  input: z.strictObject({
    limit: z.int().min(1).max(100).default(50),
    after: id.optional(),
    stream: token,
    consumer: token,
    state: z.enum([...deadLetterStates, 'all']).default('open'),
  }),
  output: z.object({ deadLetters: z.array(deadLetterSchema), next: z.string().nullable() }),
});

/** Admin only. */
export const getDeadLetter = defineRequest({
  subject: 'query.dead-letters.get',
  input: z.strictObject({ id }),
  output: deadLetterDetailSchema,
});

/** Admin only. It stays in the stream until it is 30 days old, but is no longer open. */
export const discardDeadLetter = defineRequest({
  subject: 'cmd.dead-letters.discard',
  input: z.strictObject({ id }),
  output: deadLetterSchema,
});

/** Admin only. Hands the message to the consumer that gave it up, once; a further failure leaves it open. */
export const replayDeadLetter = (stream: string, consumer: string) =>
  defineRequest({
    subject: `cmd.dead-letters.replay.${stream}.${consumer}`,
    input: z.strictObject({ id }),
    output: deadLetterSchema,
    timeoutMs: 30_000,
  });

/** What a broker user must be able to subscribe to for answering all of these. */
export const deadLetterRequests = ['query.dead-letters.>', 'cmd.dead-letters.>'] as const;
