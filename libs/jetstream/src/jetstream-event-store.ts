import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import {
  type AppendResult,
  ConcurrencyError,
  type EventStore,
  type FollowOptions,
  UnreadableHistory,
} from '@gantry/event-sourcing/event-store.port';
import { GantryError } from '@gantry/kernel/gantry-error';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { InvalidArgumentError, type NatsConnection } from '@nats-io/transport-node';
import { followStream } from './follow-stream.js';
import { publishUntilAcknowledged } from './publisher.js';
import type { Quarantine } from './quarantine.js';
import { type EventSchemas, emptyCommitOf, storedCommitOf } from './stored-commit.js';
import { SubjectReader } from './subject-reader.js';

export interface JetStreamEventStoreOptions {
  /** Schema of each event's data: what is appended must fit, what is read is parsed (and so gets its defaults). */
  eventSchemas?: EventSchemas;
  /** How long an append is tried while the broker is away, milliseconds. */
  appendTimeoutMs?: number;
  /** Of this service's reader of the stream: `follow` isolates what cannot be read, `load` leaves out what was discarded. */
  quarantine?: Quarantine;
  /**
   * Where the commits of a subject do not build on each other: what does not fit these schemas is loaded as a commit without events,
   * instead of making the whole subject unreadable.
   */
  loadOnly?: EventSchemas;
}

const TOO_LARGE = 10_054;

/**
 * The event store on one stream. An append is fenced by the last sequence of its subject and named by the commit id, so a
 * repeated append stores once and a lost race stores nothing.
 */
export class JetStreamEventStore<Event extends DomainEvent = DomainEvent> implements EventStore<Event> {
  private readonly reader: SubjectReader;

  constructor(
    private readonly nc: NatsConnection,
    private readonly definition: StreamDefinition,
    private readonly options: JetStreamEventStoreOptions = {},
  ) {
    this.reader = new SubjectReader(nc, definition.name);
  }

  async load(subject: string): Promise<StoredCommit<Event>[]> {
    const { quarantine, loadOnly, eventSchemas } = this.options;
    // Though a fold here may know what to make of it: what is decided on it would not stand after a discard.
    if (quarantine?.holds(subject) === true) throw new UnreadableHistory(subject, undefined);
    const commits: StoredCommit<Event>[] = [];
    for (const { sequence, bytes } of await this.reader.readAll(subject)) {
      const message = { subject, streamSequence: sequence, bytes };
      const leaveOut = (): StoredCommit<Event> =>
        emptyCommitOf(this.definition.name, message, commits.at(-1)?.commit.version ?? 0);
      if (quarantine?.isDiscarded(message) === true) {
        commits.push(leaveOut());
        continue;
      }
      try {
        commits.push(storedCommitOf(message, loadOnly ?? eventSchemas));
      } catch (error) {
        if (loadOnly === undefined) throw new UnreadableHistory(subject, error);
        commits.push(leaveOut());
      }
    }
    return commits;
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
        { timeoutMs: this.options.appendTimeoutMs ?? 30_000 },
      );
      if (duplicate) await this.assertSameSubject(subject, sequence, commit.id);
      return { streamSequence: sequence, duplicate };
    } catch (error) {
      return await this.explain(error, subject, commit.id, expectedSequence);
    }
  }

  follow(options: FollowOptions<Event>): Promise<void> {
    const { fromSequence, filter, signal } = options;
    const { eventSchemas, quarantine } = this.options;
    const reading = {
      fromSequence,
      ...(filter === undefined ? {} : { filter }),
      onCaughtUp: () => options.onCaughtUp?.(),
      signal,
    };
    if (quarantine === undefined)
      return followStream(this.nc, this.definition.name, {
        ...reading,
        onMessage: (message) => {
          const passed = (): void => options.onPassed?.(message.streamSequence);
          const waiting = options.onCommit(storedCommitOf(message, eventSchemas), false);
          return waiting === undefined ? passed() : waiting.then(passed);
        },
      });
    return quarantine.follow({
      ...reading,
      apply: (message, late) => options.onCommit(storedCommitOf(message, eventSchemas), late),
      onPassed: ({ streamSequence }) => options.onPassed?.(streamSequence),
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
    const { eventSchemas } = this.options;
    if (eventSchemas === undefined) return commit;
    for (const event of commit.events) {
      const schema = eventSchemas[event.type];
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
}

function tooLarge(cause: Error): GantryError {
  return new GantryError(
    'STORE.COMMIT_TOO_LARGE',
    'invalid',
    'This change is larger than one message may be. Split it.',
    { cause },
  );
}
