import { type Commit, type DomainEvent, type StoredCommit } from '@gantry/contracts/messaging/commit';
import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import {
  type AppendResult,
  ConcurrencyError,
  type EventStore,
  type FollowOptions,
} from '@gantry/event-sourcing/event-store.port';
import { GantryError } from '@gantry/kernel/gantry-error';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { InvalidArgumentError, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { followStream } from './follow-stream.js';
import { publishUntilAcknowledged } from './publisher.js';
import { parseJsonBytes } from './stream-message.js';
import { type RawMessage, SubjectReader } from './subject-reader.js';

export interface JetStreamEventStoreOptions {
  /** Schema of each event's data: what is appended must fit, what is read is parsed (and so gets its defaults). */
  eventSchemas?: Readonly<Record<string, z.ZodType>>;
  /** How long an append is tried while the broker is away, milliseconds. */
  appendTimeoutMs?: number;
}

const TOO_LARGE = 10_054;

/**
 * The event store on one stream. An append is fenced by the last sequence of its subject and named by the commit id, so a
 * repeated append stores once and a lost race stores nothing.
 */
export class JetStreamEventStore<Event extends DomainEvent = DomainEvent> implements EventStore<Event> {
  private readonly reader: SubjectReader;
  private readonly eventSchemas: Readonly<Record<string, z.ZodType>> | undefined;
  private readonly appendTimeoutMs: number;

  constructor(
    private readonly nc: NatsConnection,
    private readonly definition: StreamDefinition,
    options: JetStreamEventStoreOptions = {},
  ) {
    this.reader = new SubjectReader(nc, definition.name);
    this.eventSchemas = options.eventSchemas;
    this.appendTimeoutMs = options.appendTimeoutMs ?? 30_000;
  }

  async load(subject: string): Promise<StoredCommit<Event>[]> {
    const messages = await this.reader.readAll(subject);
    return messages.map((message) => this.toStored(message.subject, message.sequence, message.bytes));
  }

  newestSequence(subject: string): Promise<number> {
    return this.reader.newestSequence(subject);
  }

  async append(subject: string, commit: Commit<Event>, expectedSequence: number): Promise<AppendResult> {
    const bytes = Buffer.from(JSON.stringify(this.checked(commit)));
    try {
      const { sequence, duplicate } = await publishUntilAcknowledged(
        this.nc,
        subject,
        bytes,
        { msgId: commit.id, lastSubjectSequence: expectedSequence },
        { timeoutMs: this.appendTimeoutMs },
      );
      if (duplicate) await this.assertSameSubject(subject, sequence, commit.id);
      return { streamSequence: sequence, duplicate };
    } catch (error) {
      return await this.explain(error, subject, commit.id, expectedSequence);
    }
  }

  follow(options: FollowOptions<Event>): Promise<void> {
    const { fromSequence, filter, signal } = options;
    return followStream(this.nc, this.definition.name, {
      fromSequence,
      ...(filter === undefined ? {} : { filter }),
      onMessage: (message) => options.onCommit(this.toStored(message.subject, message.streamSequence, message.bytes)),
      onCaughtUp: () => options.onCaughtUp?.(),
      signal,
    });
  }

  private async explain(
    error: unknown,
    subject: string,
    commitId: string,
    expectedSequence: number,
  ): Promise<AppendResult> {
    if (error instanceof InvalidArgumentError && error.message.includes('max_payload')) throw tooLarge(error);
    if (!(error instanceof JetStreamApiError)) throw error;
    if (
      error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown
    ) {
      // The acknowledgement of our own append may have been lost longer ago than the duplicate window reaches.
      const own = await this.reader.findAfter(subject, expectedSequence, commitId);
      if (own !== undefined) return { streamSequence: own, duplicate: true };
      throw new ConcurrencyError(subject, expectedSequence);
    }
    throw error.code === TOO_LARGE ? tooLarge(error) : error;
  }

  /** The broker knows message ids per stream: an id used for two aggregates would silently lose the second commit. */
  private async assertSameSubject(subject: string, sequence: number, commitId: string): Promise<void> {
    const present = await this.reader.readAt(sequence);
    if (present === undefined || present.subject === subject) return;
    throw new GantryError(
      'STORE.COMMIT_ID_REUSED',
      'internal',
      `Commit id ${commitId} belongs to another aggregate. Use one id per commit.`,
    );
  }

  private checked(commit: Commit<Event>): Commit<Event> {
    if (this.eventSchemas === undefined) return commit;
    for (const event of commit.events) {
      const schema = this.eventSchemas[event.type];
      const fields = schema
        ?.safeParse(event.data)
        .error?.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
      if (schema === undefined || fields !== undefined) {
        throw new GantryError('STORE.INVALID_EVENT', 'internal', `Event ${event.type} does not fit its contract.`, {
          fields: fields ?? [],
        });
      }
    }
    return commit;
  }

  private toStored(subject: string, streamSequence: number, bytes: RawMessage['bytes']): StoredCommit<Event> {
    const commit = parseJsonBytes(bytes) as Commit<Event>;
    if (!Array.isArray(commit.events) || typeof commit.aggregateId !== 'string' || typeof commit.version !== 'number') {
      throw new GantryError(
        'STORE.NOT_A_COMMIT',
        'internal',
        `Message ${streamSequence} of ${this.definition.name} is not a commit.`,
      );
    }
    if (this.eventSchemas === undefined) return { commit, streamSequence, subject };
    const schemas = this.eventSchemas;
    // A type without a schema comes from a newer writer; its reader decides what to do with it.
    const events = (commit.events as readonly DomainEvent[]).map((event) => {
      const schema = schemas[event.type];
      return schema === undefined ? event : { ...event, data: schema.parse(event.data) };
    });
    return { commit: { ...commit, events: events as unknown as readonly Event[] }, streamSequence, subject };
  }
}

function tooLarge(cause: Error): GantryError {
  return new GantryError(
    'STORE.COMMIT_TOO_LARGE',
    'invalid',
    'This change is larger than one message may be. Split it.',
    { cause },
  );
}
