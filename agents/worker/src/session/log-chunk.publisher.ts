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
 * Publishes the chunks of one attempt so that what the stream holds is at any moment a prefix of them, whatever breaks: a few are
 * in flight at once, and after any failure everything that is not acknowledged is sent again, oldest first, after asking the
 * stream what it has. (Repeating single messages could leave a gap before later ones, and the message-id window ends after two minutes.)
 */
export class LogChunkPublisher {
  private readonly waiting: OutgoingChunk[] = [];
  private inFlight = 0;
  private generation = 0;
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
    this.unsubscribe = ConnectionState.of(nc).onChange((connected) => {
      if (!connected) this.fail();
    });
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
    let chunk: LogChunk;
    try {
      const message = await manager.streams.getMessage(streams.logs.name, {
        last_by_subj: subjects.logs(of.workerId, of.taskId),
      });
      if (message === null) return undefined;
      chunk = logChunkSchema.parse(message.json());
    } catch (error) {
      if (error instanceof JetStreamApiError && (error.code === 10_037 || error.code === 10_059)) return undefined;
      throw error;
    }
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
    jetStreamOf(this.nc)
      .publish(this.subject, chunk.payload, { msgID, timeout: ACK_TIMEOUT_MS })
      .then(
        () => {
          if (generation === this.generation) this.stored(chunk);
        },
        () => {
          if (generation === this.generation) this.fail();
        },
      );
  }

  private stored(chunk: OutgoingChunk): void {
    // Acknowledgements of one connection come in order; one that does not is a reason to look at the stream.
    if (this.waiting[0] !== chunk) {
      this.fail();
      return;
    }
    this.failures = 0;
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
        const tail = await LogChunkPublisher.tail(this.nc, this.of);
        if (generation !== this.generation) continue;
        this.dropStored(tail);
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

  private dropStored(tail: StoredTail | undefined): void {
    if (tail === undefined) return;
    while (
      this.waiting[0] !== undefined &&
      this.waiting[0].lastSeq <= tail.lastSeq &&
      (!this.waiting[0].end || tail.ended)
    ) {
      this.waiting.shift()?.onStored();
    }
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
