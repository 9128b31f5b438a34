import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { systemClock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { followStream } from './follow-stream.js';
import { DeadLetterOffice } from './nest/dead-letter-office.js';
import type { Resolution } from './nest/dead-letter-record.js';
import { deadLetterHeaders, storeDeadLetter } from './nest/dead-letter.js';
import type { ConsumerHost } from './nest/consumer-host.js';
import { isLostRace } from './kv-lease.js';
import { backOff, pause } from './pause.js';
import { ensureStream } from './stream-admin.js';
import { SubjectReader } from './subject-reader.js';
import type { StreamMessage } from './stream-message.js';

/** The newest letter about one message. */
interface Letter {
  readonly id: string;
  readonly subject: string;
  /** When the stream had stored the message: one that was made anew has others under the same numbers. */
  readonly time: number;
}

export interface LetterWriter {
  readonly stream: string;
  readonly consumer: string;
  /** The reader gets no bodies. */
  readonly headersOnly: boolean;
}

/** `open`: waits for an administrator. `discarded`: one said already that the message is to be skipped. */
export interface Recorded {
  readonly state: 'open' | 'discarded';
  readonly id: string;
}

const DLQ = streams.dlq.name;
const AT_ONCE = 32;
const PATIENCE_MS = 2_000;

/**
 * The dead letters of one reader of a whole stream. All its processes, and each of their starts, come to the same messages again: the
 * letter that is there serves them all, however long ago it was written.
 */
export class ReaderLetters {
  /** By sequence in the reader's stream. */
  private readonly letters = new Map<number, Letter>();
  /** Messages that an administrator discarded: sequence -> subject. */
  private readonly discarded = new Map<number, string>();
  private readonly office: DeadLetterOffice;
  private position = 0;

  constructor(
    private readonly host: ConsumerHost,
    private readonly writer: LetterWriter,
  ) {
    this.office = new DeadLetterOffice(host.nc, systemClock);
  }

  get hasDiscarded(): boolean {
    return this.discarded.size > 0;
  }

  isDiscarded({ streamSequence, subject }: Pick<StreamMessage, 'streamSequence' | 'subject'>): boolean {
    return this.discarded.get(streamSequence) === subject;
  }

  /** Before anything is read: what was discarded must not be applied, though a mended version could. */
  async open(signal: AbortSignal): Promise<void> {
    await ensureStream(this.host.nc, streams.dlq);
    await this.refresh(signal);
    const known = [...this.letters];
    while (known.length > 0)
      await Promise.all(
        known.splice(0, AT_ONCE).map(async ([sequence, { id, subject }]) => {
          if ((await this.outcomeOf(id)) === 'discarded') this.discarded.set(sequence, subject);
        }),
      );
  }

  /** Finds the letter of this message or writes it. Tries until one is stored; nothing may go on before. */
  async record(message: StreamMessage, error: unknown, signal: AbortSignal): Promise<Recorded> {
    const { logger, health } = this.host;
    const part = `letters of ${this.writer.consumer}`;
    let troubled = false;
    const trouble = (storeError?: unknown): void => {
      if (!troubled) logger.error({ ...this.fields(message), err: storeError ?? error }, 'dead letter not stored yet');
      troubled = true;
      health.set(
        part,
        'unhealthy',
        'A message cannot be read, and its dead letter cannot be stored: the reading waits.',
      );
    };
    const late = setTimeout(trouble, PATIENCE_MS);
    try {
      for (let round = 0; ; round += 1) {
        try {
          const recorded = await this.findOrWrite(message, error, signal);
          if (troubled) health.set(part, 'healthy');
          return recorded;
        } catch (storeError) {
          signal.throwIfAborted();
          // Another process was faster: the next look finds its letter.
          if (!isLostRace(storeError)) trouble(storeError);
          await pause(backOff(round, 20, 5_000), signal);
        }
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** The message of a letter, whatever became of it; undefined if it was too large to be kept and has left its stream. */
  async message(id: string): Promise<StreamMessage | undefined> {
    try {
      return await this.office.message(id);
    } catch (error) {
      if (error instanceof GantryError && !error.retryable) return undefined;
      throw error;
    }
  }

  discard({ streamSequence, subject }: Pick<StreamMessage, 'streamSequence' | 'subject'>): void {
    this.discarded.set(streamSequence, subject);
  }

  private async findOrWrite(message: StreamMessage, error: unknown, signal: AbortSignal): Promise<Recorded> {
    await this.refresh(signal);
    const { streamSequence, subject, timestampMs } = message;
    const known = this.letters.get(streamSequence);
    const letter = known?.time === timestampMs && known.subject === subject ? known : undefined;
    if (letter === undefined) return await this.write(message, error, signal);
    const outcome = await this.outcomeOf(letter.id);
    if (outcome === undefined) return { state: 'open', id: letter.id };
    // Another process could read it when it was replayed, and this one cannot: an administrator has to know.
    if (outcome === 'replayed') return await this.write(message, error, signal, letter.id);
    this.discard(message);
    return { state: 'discarded', id: letter.id };
  }

  private async write(message: StreamMessage, error: unknown, signal: AbortSignal, after?: string): Promise<Recorded> {
    const { stream, consumer, headersOnly } = this.writer;
    const { nc, logger, metrics } = this.host;
    // Not simply the newest that was seen: letters leave when they are 30 days old.
    const newest = await new SubjectReader(nc, DLQ).newestSequence(subjects.deadLetter(stream, consumer));
    if (newest > this.position) return await this.findOrWrite(message, error, signal);
    const letter = { stream, consumer, message, failures: 1, error, bodyLeftOut: headersOnly, newest };
    const id = await storeDeadLetter(nc, after === undefined ? letter : { ...letter, after }, signal);
    const { streamSequence, subject, timestampMs } = message;
    this.letters.set(streamSequence, { id, subject, time: timestampMs });
    metrics.message(`${stream}/${consumer}`, 'dead_lettered');
    logger.error({ ...this.fields(message), deadLetter: id, err: error }, 'message dead-lettered');
    return { state: 'open', id };
  }

  /** Takes in the letters that came since. */
  private async refresh(signal: AbortSignal): Promise<void> {
    const { stream, consumer } = this.writer;
    const end = new AbortController();
    await followStream(this.host.nc, DLQ, {
      fromSequence: this.position + 1,
      filter: subjects.deadLetter(stream, consumer),
      headersOnly: true,
      onMessage: ({ streamSequence: id, headers }) => {
        const text = (name: keyof typeof deadLetterHeaders): string => headers?.get(deadLetterHeaders[name]) ?? '';
        this.letters.set(Number(text('sequence')), {
          id: String(id),
          subject: text('subject'),
          time: Number(text('time')),
        });
        this.position = id;
      },
      onCaughtUp: () => end.abort(),
      signal: AbortSignal.any([signal, end.signal]),
    });
    signal.throwIfAborted();
  }

  private async outcomeOf(id: string): Promise<Resolution['outcome'] | undefined> {
    return (await this.office.resolution(id))?.outcome;
  }

  private fields({ subject, streamSequence }: StreamMessage): Record<string, unknown> {
    const { stream, consumer } = this.writer;
    return { consumer: `${stream}/${consumer}`, subject, streamSequence };
  }
}
