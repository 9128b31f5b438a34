import { z } from 'zod';
import { actorSchema } from './actor.js';

/** One domain event inside a commit. `data` is validated by the owning context's event schema. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * The only message shape in an event stream: everything that one decision produced, stored as one message and so
 * atomically on every server version.
 *
 * - `id`: the command id; also the `Nats-Msg-Id`, so that a repeated append inside the duplicate window is dropped.
 * - `version`: the aggregate's version after this commit: 1 for the first commit, then +1 per commit (not per event).
 * - `occurredAt`: epoch milliseconds, from the writer's clock.
 */
export const commitSchema = z.object({
  id: z.string().min(1),
  stream: z.string().min(1),
  aggregateId: z.string().min(1),
  version: z.number().int().positive(),
  schemaVersion: z.number().int().positive(),
  occurredAt: z.number().int(),
  actor: actorSchema,
  correlationId: z.string(),
  causationId: z.string(),
  traceparent: z.string().optional(),
  events: z.array(z.object({ type: z.string(), data: z.unknown() })).min(1),
});
export type Commit<E extends DomainEvent = DomainEvent> = Omit<z.infer<typeof commitSchema>, 'events'> & {
  events: readonly E[];
};

/** A commit together with where the stream keeps it. */
export interface StoredCommit<E extends DomainEvent = DomainEvent> {
  commit: Commit<E>;
  /** Position in the whole stream; grows by at least one per commit. */
  streamSequence: number;
  subject: string;
}
