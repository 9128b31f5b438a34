import type { Commit, DomainEvent } from '@gantry/contracts/messaging/commit';
import { assignEventSchemas } from '@gantry/contracts/scheduling/assign-events';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { z } from 'zod';

/** The spec travels with an assignment for the agent; this service knows it already. */
const assignmentSchema = assignEventSchemas.TaskAssigned.omit({ spec: true, ownerId: true });

export function commitOf(message: StreamMessage): Commit {
  const commit = message.json() as Commit;
  if (typeof commit?.id !== 'string' || !Array.isArray(commit.events)) throw unreadable();
  return commit;
}

export function assignmentOf({ data }: DomainEvent): z.output<typeof assignmentSchema> {
  return parseDecision(assignmentSchema, data);
}

export function parseDecision<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw unreadable(parsed.error);
  return parsed.data;
}

function unreadable(cause?: unknown): GantryError {
  return new GantryError(
    'TASK.UNREADABLE_DECISION',
    'invalid',
    'The message of the scheduler does not fit its contract.',
    { cause },
  );
}
