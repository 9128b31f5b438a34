import { backOff, pause } from '@gantry/jetstream/pause';
import type { Clock } from '@gantry/kernel/clock';
import type { NatsConnection } from '@nats-io/transport-node';
import { type AgentStore, attemptKey } from './agent-store.js';
import { LogChunkPublisher, type StoredTail } from './log-chunk.publisher.js';
import { LogPipeline } from './log-pipeline.js';

interface LogParts {
  readonly nc: NatsConnection;
  readonly store: AgentStore;
  readonly clock: Clock;
  readonly workerId: string;
  readonly linesPerSecond: number;
  readonly signal: AbortSignal;
}

/** The log of one attempt: a new one, or going on where an earlier life of the agent was. */
export async function openLog(
  parts: LogParts,
  { taskId, attempt }: { taskId: string; attempt: number },
): Promise<LogPipeline> {
  const { nc, store, clock, workerId, linesPerSecond, signal } = parts;
  const key = attemptKey(taskId, attempt);
  const of = { taskId, attempt, workerId };
  const checkpoint = store.log(key);
  // The first look at an attempt's log leaves a mark, so that only a continued one has to ask the stream.
  const stored = store.hasLogMark(key) ? await storedTail(nc, of, signal) : undefined;
  store.markLog(key);
  const publisher = new LogChunkPublisher(nc, of, signal);
  return new LogPipeline(
    { ...of, linesPerSecond, output: publisher, now: () => clock.now(), save: (saved) => store.saveLog(key, saved) },
    checkpoint,
    stored,
  );
}

async function storedTail(
  nc: NatsConnection,
  of: { taskId: string; attempt: number; workerId: string },
  signal: AbortSignal,
): Promise<StoredTail | undefined> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await LogChunkPublisher.tail(nc, of);
    } catch (error) {
      if (signal.aborted || nc.isClosed()) throw error;
      await pause(backOff(failures, 100, 2_000), signal);
    }
  }
}
