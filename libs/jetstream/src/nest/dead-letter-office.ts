import type { UserActor } from '@gantry/contracts/messaging/actor';
import type { DeadLetter, DeadLetterDetail, listDeadLetters } from '@gantry/contracts/messaging/dead-letters';
import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { isLostRace } from '../kv-lease.js';
import { publishUntilAcknowledged } from '../publisher.js';
import { isStreamMissing, manager, readableStream } from '../stream-admin.js';
import { parseJsonBytes, type StreamMessage } from '../stream-message.js';
import { DeadLetterRecord, type Resolution, resolutionSchema } from './dead-letter-record.js';

/** Look-ups by sequence that are under way at once, and that one page may cost. */
const AT_ONCE = 32;
const MOST_PER_PAGE = 4_096;
const encoder = new TextEncoder();
const RESOLVED_PREFIX = subjects.deadLetterResolution('');

type ListInput = ParsedInputOf<typeof listDeadLetters>;
type ListOutput = OutputOf<typeof listDeadLetters>;

/** Reads stream DLQ and records what became of its letters; knows nothing of handlers. */
export class DeadLetterOffice {
  constructor(
    private readonly nc: NatsConnection,
    private readonly clock: Clock,
  ) {}

  async list(input: ListInput): Promise<ListOutput> {
    const state = await this.streamState();
    const last = state.last_seq;
    // 0 in a stream that never had a message.
    const first = Math.max(1, state.first_seq);
    const found: DeadLetter[] = [];
    let next = input.after === undefined ? last : Math.min(Number(input.after) - 1, last);
    const lowest = Math.max(first, next - MOST_PER_PAGE + 1);
    while (next >= lowest && found.length < input.limit) {
      const sequences = Array.from({ length: Math.min(AT_ONCE, next - lowest + 1) }, (_, index) => next - index);
      for (const letter of await Promise.all(sequences.map((sequence) => this.matching(sequence, input)))) {
        if (found.length === input.limit) break;
        next -= 1;
        if (letter !== undefined) found.push(letter);
      }
    }
    return { deadLetters: found, next: next >= first ? String(next + 1) : null };
  }

  async detail(id: string): Promise<DeadLetterDetail> {
    const record = await this.record(id);
    return record.detail(await this.resolution(id));
  }

  /** The message of an open letter, as its consumer had it. */
  async openMessage(id: string): Promise<{ letter: DeadLetter; message: StreamMessage }> {
    const record = await this.record(id);
    const letter = await this.requireOpen(record);
    return { letter, message: await this.messageOf(record) };
  }

  /** The message of a letter, whatever became of it. */
  async message(id: string): Promise<StreamMessage> {
    return await this.messageOf(await this.record(id));
  }

  /** What became of a letter; undefined while it is open. */
  async resolution(id: string): Promise<Resolution | undefined> {
    const stored = await this.stored({ last_by_subj: subjects.deadLetterResolution(id) });
    return stored === undefined ? undefined : resolutionSchema.parse(parseJsonBytes(stored.data));
  }

  async discard(id: string, by: UserActor): Promise<DeadLetter> {
    await this.requireOpen(await this.record(id));
    return this.resolve(id, 'discarded', by);
  }

  /** Records the outcome once: who comes second is told what the first one did. */
  async resolve(id: string, outcome: Resolution['outcome'], { id: userId, name }: UserActor): Promise<DeadLetter> {
    const resolution: Resolution = { outcome, at: this.clock.now(), by: { id: userId, name } };
    try {
      await publishUntilAcknowledged(
        this.nc,
        subjects.deadLetterResolution(id),
        encoder.encode(JSON.stringify(resolution)),
        { lastSubjectSequence: 0 },
        { timeoutMs: 10_000 },
      );
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
    return (await this.record(id)).view(await this.resolution(id));
  }

  private async matching(sequence: number, { stream, consumer, state }: ListInput): Promise<DeadLetter | undefined> {
    const stored = await this.stored({ seq: sequence });
    if (stored === undefined || stored.subject.startsWith(RESOLVED_PREFIX)) return undefined;
    const record = new DeadLetterRecord(stored);
    if (stream !== undefined && record.stream !== stream) return undefined;
    if (consumer !== undefined && record.consumer !== consumer) return undefined;
    const letter = record.view(await this.resolution(record.id));
    return state === 'all' || letter.state === state ? letter : undefined;
  }

  private async record(id: string): Promise<DeadLetterRecord> {
    await this.streamState();
    const stored = await this.stored({ seq: Number(id) });
    if (stored === undefined || stored.subject.startsWith(RESOLVED_PREFIX)) {
      throw new GantryError(
        'DEAD_LETTER.NOT_FOUND',
        'not_found',
        'There is no such dead letter; they are kept for 30 days. List those that are there.',
      );
    }
    return new DeadLetterRecord(stored);
  }

  private async requireOpen(record: DeadLetterRecord): Promise<DeadLetter> {
    const letter = record.view(await this.resolution(record.id));
    if (letter.state === 'open') return letter;
    throw new GantryError(
      'DEAD_LETTER.ALREADY_RESOLVED',
      'conflict',
      `This dead letter was ${letter.state} by ${letter.resolvedBy ?? 'somebody'} already. Nothing is left to do.`,
    );
  }

  private async messageOf(record: DeadLetterRecord): Promise<StreamMessage> {
    return record.truncated ? await this.fromItsStream(record) : record.message();
  }

  /** A body that did not fit beside our headers is only in the stream it came from. */
  private async fromItsStream(record: DeadLetterRecord): Promise<StreamMessage> {
    const message = record.message();
    const original = await this.stored({ seq: message.streamSequence }, record.stream);
    // A stream that was made anew has other messages under the same numbers.
    if (original?.subject === message.subject && original.time.getTime() === record.originalTime)
      return record.message(original.data, original.header);
    throw new GantryError(
      'DEAD_LETTER.MESSAGE_GONE',
      'conflict',
      'The message was too large to be kept here and has left its stream. Discard the dead letter.',
    );
  }

  private async stored(
    query: { seq: number } | { last_by_subj: string },
    stream: string = streams.dlq.name,
  ): Promise<StoredMsg | undefined> {
    const jsm = await manager(this.nc);
    return (await jsm.streams.getMessage(stream, query)) ?? undefined;
  }

  private async streamState() {
    try {
      return (await readableStream(this.nc, streams.dlq.name)).state;
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error;
      throw new GantryError(
        'DEAD_LETTER.UNAVAILABLE',
        'unavailable',
        isStreamMissing(error)
          ? 'The dead letters are being set up. Try again in a moment.'
          : 'The broker cannot read the dead letters now. Try again in a moment.',
        { cause: error },
      );
    }
  }
}
