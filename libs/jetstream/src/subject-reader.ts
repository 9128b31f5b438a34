import { GantryError } from '@gantry/kernel/gantry-error';
import { AckPolicy, type ConsumerMessages, DeliverPolicy, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { type NatsConnection, nanos, nuid } from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { backOff, pause } from './pause.js';
import { jetStreamOf } from './publisher.js';
import { isOver, queuedMessages } from './reading-session.js';
import { manager, waitForStream } from './stream-admin.js';

export interface RawMessage {
  subject: string;
  sequence: number;
  bytes: Uint8Array;
}

interface LinkedMessage extends RawMessage {
  messageId: string;
  /** Sequence of the message before it on the same subject; 0 = it is the first; undefined = it was appended without a fence. */
  previous: number | undefined;
}

const EXPECTED = 'Nats-Expected-Last-Subject-Sequence';
const MESSAGE_ID = 'Nats-Msg-Id';
/** Above this length one filtered reader is faster than a walk of a fifth of a millisecond a step. */
const LONGEST_WALK = 40;
const PATIENCE_MS = 10_000;

/**
 * Reads one subject of a big stream. A filtered reader searches the whole stream for it (15 ms warm, near a second cold on old
 * brokers), but a fenced message names its predecessor in its own header: from the newest message the history is a
 * linked list, and each step is a look-up by sequence. All reads are answered by the stream's leader.
 */
export class SubjectReader {
  private readable: Promise<void> | undefined;

  constructor(
    private readonly nc: NatsConnection,
    private readonly stream: string,
  ) {}

  /** Every message of the subject, oldest first. */
  async readAll(subject: string): Promise<RawMessage[]> {
    const newestFirst: LinkedMessage[] = [];
    let next = await this.get({ last_by_subj: subject });
    while (next !== undefined) {
      newestFirst.push(next);
      const { previous, sequence } = next;
      if (previous === 0) break;
      if (previous === undefined || newestFirst.length >= LONGEST_WALK)
        return await this.completed(subject, newestFirst, sequence);
      next = await this.get({ seq: previous });
      if (next === undefined || next.subject !== subject) {
        // Its predecessor has left the stream. What is still there of this subject begins here, unless single messages were deleted.
        const first = await this.get({ seq: 1, next_by_subj: subject });
        if (first === undefined || first.sequence >= sequence) break;
        return await this.completed(subject, newestFirst, sequence);
      }
    }
    return newestFirst.reverse();
  }

  /** 0 = there is no message. */
  async newestSequence(subject: string): Promise<number> {
    return (await this.get({ last_by_subj: subject }))?.sequence ?? 0;
  }

  /** Sequence of the message with this id that was appended on top of `expected`; undefined if another one is there. */
  async findAfter(subject: string, expected: number, messageId: string): Promise<number | undefined> {
    let message = await this.get({ last_by_subj: subject });
    for (let step = 0; message !== undefined && step < LONGEST_WALK; step += 1) {
      if (message.messageId === messageId) return message.sequence;
      if (message.previous === undefined || message.previous <= expected) return undefined;
      message = await this.get({ seq: message.previous });
    }
    return undefined;
  }

  /** The first message of any subject from a sequence on. */
  next(sequence: number): Promise<RawMessage | undefined> {
    return this.get({ seq: sequence, next_by_subj: '>' });
  }

  readAt(sequence: number): Promise<RawMessage | undefined> {
    return this.get({ seq: sequence });
  }

  private async completed(subject: string, newestFirst: LinkedMessage[], before: number): Promise<RawMessage[]> {
    const older = await this.retrying(() => this.scan(subject, before));
    return [...older, ...newestFirst.reverse()];
  }

  private async scan(subject: string, before: number): Promise<RawMessage[]> {
    const jsm = await manager(this.nc);
    const info = await jsm.consumers.add(this.stream, {
      name: `read_${nuid.next()}`,
      deliver_policy: DeliverPolicy.All,
      filter_subject: subject,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(10_000),
    });
    const consumer = jetStreamOf(this.nc).consumers.getConsumerFromInfo(info);
    const found: RawMessage[] = [];
    if (info.num_pending === 0) return found;
    try {
      const messages = await consumer.consume({ max_messages: 500, idle_heartbeat: 1_000, expires: 5_000 });
      const stop = ConnectionState.of(this.nc).onChange(() => messages.stop());
      // What was counted may be archived before it is delivered: a second without anything ends the wait for it.
      void stopWhenIdle(messages);
      try {
        for await (const message of messages) {
          if (message.seq >= before) return found;
          if (message.info.deliverySequence !== found.length + 1) break;
          found.push({ subject: message.subject, sequence: message.seq, bytes: message.data });
          if (message.info.pending === 0) return found;
        }
      } finally {
        stop();
        messages.stop();
      }
      throw new Error('the reader was interrupted');
    } finally {
      consumer.delete().catch(() => undefined);
    }
  }

  private get(
    query: { last_by_subj: string } | { seq: number; next_by_subj?: string },
  ): Promise<LinkedMessage | undefined> {
    return this.retrying(async () => {
      this.readable ??= waitForStream(this.nc, this.stream, { timeoutMs: PATIENCE_MS });
      await this.readable.catch((error: unknown) => {
        this.readable = undefined;
        throw error;
      });
      const jsm = await manager(this.nc);
      const stored = await jsm.streams.getMessage(this.stream, query);
      return stored === null ? undefined : linked(stored);
    });
  }

  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let round = 0; ; round += 1) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof JetStreamApiError && error.status < 500) throw error;
        if (this.nc.isClosed() || performance.now() >= deadline) {
          throw new GantryError('STORE.UNAVAILABLE', 'unavailable', 'The event store does not answer. Try again.', {
            cause: error,
          });
        }
        await pause(backOff(round, 20, 500));
        await ConnectionState.of(this.nc).settle(2_000);
      }
    }
  }
}

async function stopWhenIdle(messages: ConsumerMessages): Promise<void> {
  for await (const status of messages.status())
    if ((status.type === 'heartbeat' || isOver(status)) && queuedMessages(messages) === 0) messages.stop();
}

function linked(stored: StoredMsg): LinkedMessage {
  const expected = stored.header.get(EXPECTED);
  return {
    subject: stored.subject,
    sequence: stored.seq,
    bytes: stored.data,
    messageId: stored.header.get(MESSAGE_ID),
    previous: expected === '' ? undefined : Number(expected),
  };
}
