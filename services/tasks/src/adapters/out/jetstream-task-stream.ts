import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { manager, readableStream } from '@gantry/jetstream/stream-admin';
import { SubjectReader } from '@gantry/jetstream/subject-reader';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StreamedCommit, TaskStream, TaskStreamState } from '../../application/archive/task-archive.port.js';

/** Purges that one call makes at most; each asks first where the stream begins now. */
const RUNS = 200;
/** Each step holds up writers for as long as it takes: about 4 ms. */
const PURGE_STEP = 300;

export class JetStreamTaskStream implements TaskStream {
  private readonly reader: SubjectReader;

  constructor(
    private readonly nc: NatsConnection,
    private readonly stopping: AbortSignal,
  ) {
    this.reader = new SubjectReader(nc, streams.tasks.name);
  }

  async state(): Promise<TaskStreamState> {
    const { state } = await readableStream(this.nc, streams.tasks.name);
    return { firstSequence: state.first_seq, lastSequence: state.last_seq, tasks: state.num_subjects ?? 0 };
  }

  async read(from: number, to: number, take: (commit: StreamedCommit) => Promise<boolean>): Promise<void> {
    if (from > to) return;
    const done = new AbortController();
    await followStream(this.nc, streams.tasks.name, {
      fromSequence: from,
      signal: AbortSignal.any([done.signal, this.stopping]),
      onCaughtUp: () => done.abort(),
      onMessage: async ({ streamSequence, timestampMs, bytes }) => {
        const goOn = streamSequence <= to && (await take({ sequence: streamSequence, storedAt: timestampMs, bytes }));
        if (!goOn || streamSequence === to) done.abort();
      },
    });
    this.stopping.throwIfAborted();
  }

  historyOf(taskId: string): Promise<Omit<StreamedCommit, 'storedAt'>[]> {
    return this.reader.readAll(subjects.task(taskId));
  }

  async removeFront(sequences: readonly number[]): Promise<number[]> {
    const jsm = await manager(this.nc);
    let left = [...sequences];
    for (let round = 0; round < RUNS; round += 1) {
      const { firstSequence } = await this.state();
      left = left.filter((sequence) => sequence >= firstSequence);
      const gap = left.findIndex((sequence, index) => sequence !== firstSequence + index);
      const run = gap === -1 ? left.length : gap;
      if (run === 0) return left;
      // In steps from the front on: what a broker that is killed forgets of it are the last ones.
      for (let at = 0; at < run; at += PURGE_STEP) {
        this.stopping.throwIfAborted();
        await jsm.streams.purge(streams.tasks.name, { seq: left[Math.min(at + PURGE_STEP, run) - 1]! + 1 });
      }
      left = left.slice(run);
    }
    return left;
  }

  /** Overwritten in the file: a deletion that is only noted may be forgotten when the broker is killed. */
  async removeEach(sequences: readonly number[]): Promise<void> {
    const jsm = await manager(this.nc);
    for (const sequence of sequences) {
      this.stopping.throwIfAborted();
      try {
        await jsm.streams.deleteMessage(streams.tasks.name, sequence, true);
      } catch (error) {
        // Brokers have several words for a message that is gone already.
        const refused = error instanceof JetStreamApiError;
        if (!refused || (await jsm.streams.getMessage(streams.tasks.name, { seq: sequence })) !== null) throw error;
      }
    }
  }
}
