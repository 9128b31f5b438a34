import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { z } from 'zod';
import { parseJsonBytes } from './stream-message.js';

/** Schema of each event's data. A type without one comes from a newer writer; its reader decides what to do with it. */
export type EventSchemas = Readonly<Record<string, z.ZodType>>;

interface CommitMessage {
  readonly subject: string;
  readonly streamSequence: number;
  readonly bytes: Uint8Array;
}

/** A message of an event stream as the commit that it should be. Its errors quote nothing of the body, which may hold secrets. */
export function storedCommitOf<Event extends DomainEvent>(
  message: CommitMessage,
  schemas?: EventSchemas,
): StoredCommit<Event> {
  const { subject, streamSequence } = message;
  const commit = jsonOf(message) as Commit<Event> | undefined;
  if (
    !Array.isArray(commit?.events) ||
    typeof commit.aggregateId !== 'string' ||
    typeof commit.version !== 'number' ||
    commit.events.some((event: unknown) => typeof event !== 'object' || event === null)
  )
    throw new GantryError('STORE.NOT_A_COMMIT', 'invalid', `The message is not a commit.`);
  if (schemas === undefined) return { commit, streamSequence, subject };
  const events = (commit.events as readonly DomainEvent[]).map((event) => parsed(event, schemas[event.type]));
  return { commit: { ...commit, events: events as unknown as readonly Event[] }, streamSequence, subject };
}

/**
 * In the place of a message that is left out: changes nothing, but keeps the sequence, which the next append has to expect, and the
 * version, if the message tells one.
 */
export function emptyCommitOf<Event extends DomainEvent>(
  stream: string,
  message: CommitMessage,
  previousVersion: number,
): StoredCommit<Event> {
  const { subject, streamSequence } = message;
  const told = (jsonOf(message) as { version?: unknown } | undefined)?.version;
  const commit: Commit<Event> = {
    id: '',
    stream,
    aggregateId: subject.slice(subject.lastIndexOf('.') + 1),
    version: typeof told === 'number' && told > previousVersion ? told : previousVersion,
    schemaVersion: 1,
    occurredAt: 0,
    actor: { kind: 'anonymous' },
    correlationId: '',
    causationId: '',
    events: [],
  };
  return { commit, streamSequence, subject };
}

function parsed(event: DomainEvent, schema: z.ZodType | undefined): DomainEvent {
  if (schema === undefined) return event;
  const { data, error } = schema.safeParse(event.data);
  if (error === undefined) return { ...event, data };
  const fields = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const [first] = fields;
  throw new GantryError(
    'STORE.UNFIT_EVENT',
    'invalid',
    `Event ${event.type} does not fit its contract (${first?.path}: ${first?.message}).`,
    { fields, cause: error },
  );
}

/** `null` counts as nothing too. */
function jsonOf({ bytes }: CommitMessage): unknown {
  try {
    return parseJsonBytes(bytes) ?? undefined;
  } catch {
    return undefined;
  }
}
