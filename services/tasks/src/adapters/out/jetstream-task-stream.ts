import { setImmediate } from 'node:timers/promises';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { followStream } from '@gantry/jetstream/follow-stream';
import { pause } from '@gantry/jetstream/pause';
import { manager, readableStream } from '@gantry/jetstream/stream-admin';
import { SubjectReader } from '@gantry/jetstream/subject-reader';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StreamedCommit, TaskStream, TaskStreamState } from '../../application/archive/task-archive.port.js';

/** A purge holds up writers for 0.1 ms a message, so it takes out few at a time, and then leaves the broker to others for as long. */
const PURGED_AT_ONCE = 20;
const REST_MS = 3;
const PURGED_A_CALL = 2_000;
/** Places where a call looks for the front again, behind what earlier removals left out. */
const FRONTS_A_CALL = 20;
/** Requests come before what is read here. */
const WORK_MS = 2;

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
    let began = performance.now();
    await followStream(this.nc, streams.tasks.name, {
      fromSequence: from,
      signal: AbortSignal.any([done.signal, this.stopping]),
      onCaughtUp: () => done.abort(),
      onMessage: async ({ streamSequence, timestampMs, bytes }) => {
        const goOn = streamSequence <= to && (await take({ sequence: streamSequence, storedAt: timestampMs, bytes }));
        if (!goOn || streamSequence === to) done.abort();
        if (performance.now() - began < WORK_MS) return;
        await setImmediate();
        began = performance.now();
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
    for (let front = 0; front < FRONTS_A_CALL; front += 1) {
      const { firstSequence } = await this.state();
      left = left.filter((sequence) => sequence >= firstSequence);
      const gap = left.findIndex((sequence, index) => sequence !== firstSequence + index);
      const run = Math.min(PURGED_A_CALL - (sequences.length - left.length), gap === -1 ? left.length : gap);
      if (run <= 0) return left;
      for (let at = 0; at < run; at += PURGED_AT_ONCE) {
        this.stopping.throwIfAborted();
        await jsm.streams.purge(streams.tasks.name, { seq: left[Math.min(at + PURGED_AT_ONCE, run) - 1]! + 1 });
        await pause(REST_MS);
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
