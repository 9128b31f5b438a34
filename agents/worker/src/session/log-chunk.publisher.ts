import { type LogChunk, logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import { backOff, pause } from '@gantry/jetstream/pause';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const WINDOW = 8;
const ACK_TIMEOUT_MS = 5_000;

export interface OutgoingChunk {
  readonly firstSeq: number;
  /** Sequence of the last line; `firstSeq - 1` if the chunk has none. */
  readonly lastSeq: number;
  readonly end: boolean;
  readonly payload: Uint8Array;
  onStored(): void;
}

/** Newest stored chunk of an attempt, as the stream has it. */
export interface StoredTail {
  readonly lastSeq: number;
  readonly ended: boolean;
}

/**
 * Publishes the chunks of one attempt so that none is missing in the end, whatever breaks: a few are in flight at once, and after any
 * failure the stream is asked which of them it has. What it lacks is sent again, oldest first. Each one is looked for, because the
 * newest says nothing about those before it: a broker that just came back may refuse one and take the next. (The window in which it
 * would recognise repeated message ids ends after two minutes.)
 */
export class LogChunkPublisher {
  private readonly waiting: OutgoingChunk[] = [];
  private inFlight = 0;
  private generation = 0;
  /** Stream sequence of the newest acknowledged chunk. */
  private storedUpTo = 0;
  /** Chunks beyond it that the stream was seen to have. */
  private seen: ReadonlySet<string> = new Set();
  private recovering = false;
  private failures = 0;
  private wakers: (() => void)[] = [];
  private readonly subject: string;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly nc: NatsConnection,
    private readonly of: { readonly taskId: string; readonly attempt: number; readonly workerId: string },
    private readonly signal: AbortSignal,
  ) {
    this.subject = subjects.logs(of.workerId, of.taskId);
    const state = ConnectionState.of(nc);
    this.unsubscribe = state.onChange((connected) => {
      if (!connected) this.fail();
    });
    // What is sent while disconnected is dropped without a word, and nothing tells a newcomer that the connection is down already.
    if (!state.connected) this.fail();
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  /** Takes a chunk; resolves when there is room for the next. */
  async send(chunk: OutgoingChunk): Promise<void> {
    this.waiting.push(chunk);
    this.pump();
    while (this.waiting.length >= WINDOW && !this.signal.aborted) await this.changed();
  }

  /** Resolves when the stream has everything. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0 && !this.signal.aborted) await this.changed();
  }

  close(): void {
    this.unsubscribe();
  }

  /** What the stream has of this attempt. */
  static async tail(
    nc: NatsConnection,
    of: { readonly taskId: string; readonly attempt: number; readonly workerId: string },
  ): Promise<StoredTail | undefined> {
    const manager = await jetstreamManager(nc, { checkAPI: false });
    const query = { last_by_subj: subjects.logs(of.workerId, of.taskId) };
    const message = await manager.streams.getMessage(streams.logs.name, query).catch(noneAsNull);
    if (message === null) return undefined;
    const chunk: LogChunk = logChunkSchema.parse(message.json());
    if (chunk.attempt !== of.attempt) return undefined;
    // A last chunk without lines does not tell the number; nothing more is to come then anyway.
    return { lastSeq: chunk.lines.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER, ended: chunk.end };
  }

  private pump(): void {
    while (!this.recovering && !this.signal.aborted && this.inFlight < Math.min(WINDOW, this.waiting.length)) {
      const chunk = this.waiting[this.inFlight];
      if (chunk === undefined) return;
      this.inFlight += 1;
      this.publish(chunk, this.generation);
    }
  }

  private publish(chunk: OutgoingChunk, generation: number): void {
    const msgID = `${this.of.taskId}:${this.of.attempt}:${chunk.firstSeq}`;
    const sent = this.seen.has(outgoingKey(chunk))
      ? Promise.resolve({ seq: 0 })
      : jetStreamOf(this.nc).publish(this.subject, chunk.payload, { msgID, timeout: ACK_TIMEOUT_MS });
    sent.then(
      ({ seq }) => {
        if (generation === this.generation) this.stored(chunk, seq);
      },
      () => {
        if (generation === this.generation) this.fail();
      },
    );
  }

  private stored(chunk: OutgoingChunk, streamSequence: number): void {
    // Acknowledgements of one connection come in order; one that does not is a reason to look at the stream.
    if (this.waiting[0] !== chunk) {
      this.fail();
      return;
    }
    this.failures = 0;
    this.storedUpTo = Math.max(this.storedUpTo, streamSequence);
    this.waiting.shift();
    this.inFlight -= 1;
    chunk.onStored();
    this.wake();
    this.pump();
  }

  private fail(): void {
    this.generation += 1;
    this.inFlight = 0;
    if (this.recovering) return;
    this.recovering = true;
    void this.recover();
  }

  private async recover(): Promise<void> {
    const state = ConnectionState.of(this.nc);
    while (!this.signal.aborted && !this.nc.isClosed()) {
      await pause(backOff(this.failures, 50, 2_000), this.signal);
      this.failures += 1;
      await state.settle(5_000, this.signal);
      if (!state.connected || this.waiting.length === 0) continue;
      const generation = this.generation;
      try {
        const seen = await this.look();
        if (generation !== this.generation) continue;
        this.seen = seen;
        this.dropStored();
        this.recovering = false;
        this.pump();
        return;
      } catch {
        // The broker is not ready yet: wait and ask again.
      }
    }
    this.recovering = false;
    this.wake();
  }

  /** Which chunks the stream has beyond the newest acknowledged one. */
  private async look(): Promise<Set<string>> {
    const manager = await jetstreamManager(this.nc, { checkAPI: false });
    const seen = new Set<string>();
    for (let next = this.storedUpTo + 1; ;) {
      const query = { seq: next, next_by_subj: this.subject };
      const message = await manager.streams.getMessage(streams.logs.name, query).catch(noneAsNull);
      if (message === null) return seen;
      const chunk = logChunkSchema.parse(message.json());
      if (chunk.attempt === this.of.attempt) seen.add(keyOf(chunk.lines[0]?.seq));
      next = message.seq + 1;
    }
  }

  private dropStored(): void {
    while (this.waiting[0] !== undefined && this.seen.has(outgoingKey(this.waiting[0])))
      this.waiting.shift()?.onStored();
    this.wake();
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => this.wakers.push(resolve));
  }

  private wake(): void {
    const wakers = this.wakers;
    this.wakers = [];
    for (const waker of wakers) waker();
  }
}

/** Chunks never change once they are cut, so the first line tells them apart; only the last one may have none. */
const keyOf = (firstSeq: number | undefined): string => (firstSeq === undefined ? 'end' : String(firstSeq));
const outgoingKey = ({ firstSeq, lastSeq }: OutgoingChunk): string => keyOf(lastSeq < firstSeq ? undefined : firstSeq);

/** 10037: there is no such message. 10059: there is no such stream yet. */
export function noneAsNull(error: unknown): null {
  if (error instanceof JetStreamApiError && (error.code === 10_037 || error.code === 10_059)) return null;
  throw error;
}
