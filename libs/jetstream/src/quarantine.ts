import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { HeldMessage } from '@gantry/event-sourcing/snapshot-store.port';
import { followStream } from './follow-stream.js';
import type { ConsumerHost, DeadLetterAuthor } from './nest/consumer-host.js';
import { resolutionSchema } from './nest/dead-letter-record.js';
import { replayTargetsOf } from './nest/replay-targets.js';
import { backOff, pause } from './pause.js';
import { ReaderLetters } from './reader-letters.js';
import type { StreamMessage } from './stream-message.js';

export interface QuarantineOptions {
  readonly stream: string;
  /** Name of the reader, the same in all its processes. */
  readonly consumer: string;
  /** Whether later messages of a subject build on the unreadable one (`wait`), or stand for themselves (`go on`). */
  readonly later: 'wait' | 'go on';
  readonly headersOnly?: boolean;
}

export interface QuarantineFollowOptions {
  readonly fromSequence: number;
  readonly filter?: string;
  /** Of the snapshot that was taken in: these messages are met again first. */
  readonly held?: readonly HeldMessage[] | undefined;
  /**
   * Takes a message in, or throws and has changed nothing. `late`: it was held aside, and later messages of other subjects
   * came before it.
   */
  apply(message: StreamMessage, late: boolean): void | Promise<void>;
  /** Everything up to this message was applied, or is held aside. */
  onPassed?(message: StreamMessage): void;
  /** An administrator said that this message is to be skipped; what was derived from it has to go. */
  onDiscarded?(message: HeldMessage): void;
  onCaughtUp?(): void;
  /** As of `followStream`. */
  onStartOver?(): void;
  onGap?(): void;
  readonly signal: AbortSignal;
}

interface Held extends HeldMessage {
  /** The unreadable message. */
  sequence: number;
  letter: string;
  /** Newest message that waits behind it; itself if there is none. */
  last: number;
  /** Where its release goes on. */
  next: number;
}

interface Failure {
  readonly message: StreamMessage;
  readonly error: unknown;
}

/** More than this makes the head of a snapshot too large: then none is saved. */
const MOST_IN_SNAPSHOT = 1_000;
const NAMED_LETTERS = 5;
const RESOLVED = subjects.deadLetterResolution('');

/**
 * Lets an in-memory reader of a whole stream go on past a message that it cannot take in. The message becomes a dead letter, and what
 * follows on its subject is held aside, until an administrator replays or discards it: nothing but this subject stands still. What
 * waits is not kept, only how far it goes; it is read again when its time comes. All processes of the reader see what was decided
 * in `dlq.resolved`, and do the same.
 */
export class Quarantine implements DeadLetterAuthor {
  private readonly held = new Map<string, Held>();
  private readonly letters: ReaderLetters;
  private reading: QuarantineFollowOptions | undefined;
  /** Whatever looks into the dead letters happens one after the other. Never rejects. */
  private turn: Promise<unknown> = Promise.resolve();
  private watching = false;

  constructor(
    private readonly host: ConsumerHost,
    private readonly options: QuarantineOptions,
  ) {
    const { stream, consumer, headersOnly = false } = options;
    this.letters = new ReaderLetters(host, { stream, consumer, headersOnly });
    replayTargetsOf(host.nc).push({ stream, consumer, author: this });
  }

  /** Like `followStream`, except that a message whose `apply` throws does not end it. */
  async follow(reading: QuarantineFollowOptions): Promise<void> {
    this.reading = reading;
    const { nc } = this.host;
    const { stream, headersOnly = false } = this.options;
    const { fromSequence, filter, held = [], signal } = reading;
    await this.untilDone(() => this.letters.open(signal));
    for (const message of held) await this.inTurn(() => this.meetAgain(message, fromSequence - 1));
    await followStream(nc, stream, {
      fromSequence,
      ...(filter === undefined ? {} : { filter }),
      headersOnly,
      onMessage: (message) => {
        const waiting = this.take(message);
        return waiting === undefined ? reading.onPassed?.(message) : waiting.then(() => reading.onPassed?.(message));
      },
      onCaughtUp: () => reading.onCaughtUp?.(),
      onStartOver: () => reading.onStartOver?.(),
      onGap: () => reading.onGap?.(),
      signal,
    });
  }

  /** For a snapshot; undefined if it is too much for one. */
  snapshot(): readonly HeldMessage[] | undefined {
    if (this.held.size > MOST_IN_SNAPSHOT) return undefined;
    return [...this.held.values()].map(({ subject, sequence }) => ({ subject, sequence }));
  }

  /** Whether a history is to be read as if this message were not in it. */
  isDiscarded(message: Pick<StreamMessage, 'streamSequence' | 'subject'>): boolean {
    return this.letters.isDiscarded(message);
  }

  /** Whether this subject stands still, which it does only where later messages wait. */
  holds(subject: string): boolean {
    return this.held.has(subject);
  }

  replay(message: StreamMessage): Promise<void> {
    return this.inTurn(async () => {
      const held = this.held.get(this.keyOf(message));
      // This process could read it, as it was started with a mended version: the others follow when they see the outcome.
      if (held?.sequence !== message.streamSequence) return;
      await this.current.apply(message, true);
      this.host.metrics.message(this.name, 'replayed');
      held.next = message.streamSequence + 1;
      await this.release(held);
    });
  }

  private take(message: StreamMessage): void | Promise<void> {
    if (this.held.size > 0 || this.letters.hasDiscarded) {
      const held = this.held.get(this.keyOf(message));
      if (held !== undefined) {
        held.last = message.streamSequence;
        return;
      }
      if (this.letters.isDiscarded(message)) return;
    }
    try {
      const waiting = this.current.apply(message, false);
      return waiting === undefined ? undefined : waiting.catch((error: unknown) => this.isolate(message, error));
    } catch (error) {
      return this.isolate(message, error);
    }
  }

  private isolate(message: StreamMessage, error: unknown): Promise<void> {
    return this.inTurn(async () => {
      const { subject, streamSequence: sequence } = message;
      const { state, id } = await this.letters.record(message, error, this.current.signal);
      if (state === 'open') this.hold({ subject, sequence, letter: id, last: sequence, next: sequence });
    });
  }

  /** A snapshot says that this message was held aside, with what follows it up to `position`. */
  private meetAgain({ subject, sequence }: HeldMessage, position: number): Promise<void> {
    const last = this.options.later === 'wait' ? Math.max(position, sequence) : sequence;
    return this.release({ subject, sequence, letter: '', last, next: sequence });
  }

  private hold(held: Held): void {
    this.held.set(this.keyOf({ subject: held.subject, streamSequence: held.sequence }), held);
    this.report();
    if (!this.watching) this.watch(Number(held.letter) + 1);
  }

  /** A letter was open when it was looked at: what is decided about it comes behind all that the stream held then. */
  private watch(fromSequence: number): void {
    const { nc, logger } = this.host;
    const { signal } = this.current;
    this.watching = true;
    followStream(nc, streams.dlq.name, {
      fromSequence,
      filter: `${RESOLVED}>`,
      onMessage: (message) => this.inTurn(() => this.untilDone(() => this.obey(message))),
      signal,
    }).catch((error: unknown) => {
      if (!signal.aborted) logger.error({ err: error }, 'decisions about dead letters are no longer seen');
    });
  }

  private async obey(decision: StreamMessage): Promise<void> {
    const id = decision.subject.slice(RESOLVED.length);
    const held = [...this.held.values()].find(({ letter }) => letter === id);
    if (held === undefined) return;
    const { subject, sequence } = held;
    if (resolutionSchema.parse(decision.json()).outcome === 'discarded') {
      this.letters.discard({ subject, streamSequence: sequence });
      this.current.onDiscarded?.({ subject, sequence });
      held.next = Math.max(held.next, sequence + 1);
    } else if (held.next === sequence) {
      const failure = await this.applyLetter(id);
      if (failure !== undefined) {
        await this.refuse(held, failure);
        return;
      }
      held.next = sequence + 1;
    }
    await this.release(held);
  }

  private async applyLetter(id: string): Promise<Failure | undefined> {
    const message = await this.letters.message(id);
    // It is in no store any more, so that no process will ever meet it.
    if (message === undefined) return undefined;
    try {
      await this.current.apply(message, true);
      return undefined;
    } catch (error) {
      return { message, error };
    }
  }

  /** Applies what waits, in its order. The next one that cannot be taken in becomes a letter of its own, and the rest waits on. */
  private async release(held: Held): Promise<void> {
    for (;;) {
      const upTo = held.last;
      const failure = held.next > upTo ? undefined : await this.applyWaiting(held, upTo);
      if (failure !== undefined) {
        if (await this.refuse(held, failure)) return;
        continue;
      }
      // Nothing came while it was read: from here on the reader applies by itself.
      if (held.last === upTo) break;
    }
    this.held.delete(this.keyOf({ subject: held.subject, streamSequence: held.sequence }));
    this.report();
  }

  /** True if it waits for an administrator now; false if one has discarded it already. */
  private async refuse(held: Held, { message, error }: Failure): Promise<boolean> {
    const { state, id } = await this.letters.record(message, error, this.current.signal);
    if (state === 'discarded') return false;
    held.sequence = message.streamSequence;
    held.next = message.streamSequence;
    held.letter = id;
    this.hold(held);
    return true;
  }

  private async applyWaiting(held: Held, upTo: number): Promise<Failure | undefined> {
    const reading = this.current;
    const { signal } = reading;
    const { stream, headersOnly = false } = this.options;
    const end = new AbortController();
    let failure: Failure | undefined;
    await followStream(this.host.nc, stream, {
      fromSequence: held.next,
      filter: held.subject,
      headersOnly,
      onMessage: async (message) => {
        const { streamSequence } = message;
        if (streamSequence > upTo) return end.abort();
        try {
          if (!this.letters.isDiscarded(message)) await reading.apply(message, true);
        } catch (error) {
          failure = { message, error };
          return end.abort();
        }
        held.next = streamSequence + 1;
        if (streamSequence === upTo) end.abort();
      },
      onCaughtUp: () => end.abort(),
      signal: AbortSignal.any([signal, end.signal]),
    });
    signal.throwIfAborted();
    if (failure === undefined) held.next = upTo + 1;
    return failure;
  }

  private report(): void {
    const { health, metrics } = this.host;
    const { stream, consumer } = this.options;
    const count = this.held.size;
    metrics.quarantined(this.name, count);
    if (count === 0) return health.set(consumer, 'healthy');
    const letters = [...this.held.values()].slice(0, NAMED_LETTERS).map(({ letter }) => letter);
    const named = `dead letter${count === 1 ? '' : 's'} ${letters.join(', ')}${count > NAMED_LETTERS ? ', ...' : ''}`;
    health.set(
      consumer,
      'degraded',
      `${count} message${count === 1 ? '' : 's'} of ${stream} could not be read (${named}); mend the cause, then replay or discard ` +
        `${count === 1 ? 'it' : 'them'}: gantry admin dead-letters`,
    );
  }

  private get name(): string {
    return `${this.options.stream}/${this.options.consumer}`;
  }

  private get current(): QuarantineFollowOptions {
    if (this.reading === undefined) throw new Error('Nothing is read yet.');
    return this.reading;
  }

  private keyOf({ subject, streamSequence }: Pick<StreamMessage, 'subject' | 'streamSequence'>): string {
    return this.options.later === 'wait' ? subject : `${subject} ${streamSequence}`;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.turn.then(work);
    this.turn = run.catch(() => undefined);
    return run;
  }

  /** What fails here is the broker's, and passes. */
  private async untilDone(work: () => Promise<void>): Promise<void> {
    const { signal } = this.current;
    for (let round = 0; ; round += 1) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (this.host.nc.isClosed()) throw error;
        if (round === 0)
          this.host.logger.warn({ err: error, consumer: this.name }, 'dead letters do not answer, trying again');
        await pause(backOff(round, 100, 5_000), signal);
      }
    }
  }
}
