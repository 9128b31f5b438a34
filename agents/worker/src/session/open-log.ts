import { backOff, pause } from '@gantry/jetstream/pause';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import { type AgentStore, attemptKey } from './agent-store.js';
import { LogChunkPublisher } from './log-chunk.publisher.js';
import { LogPipeline } from './log-pipeline.js';
import { checkpointFromStream } from './lost-checkpoint.js';

interface LogParts {
  readonly nc: NatsConnection;
  readonly store: AgentStore;
  readonly clock: Clock;
  readonly workerId: string;
  readonly linesPerSecond: number;
  readonly logger: Pick<Logger, 'warn'>;
  readonly signal: AbortSignal;
}

/** The log of one attempt: a new one, or going on where an earlier life of the agent was. */
export async function openLog(
  parts: LogParts,
  { taskId, attempt }: { taskId: string; attempt: number },
): Promise<LogPipeline> {
  const { nc, store, clock, workerId, linesPerSecond, logger, signal } = parts;
  const key = attemptKey(taskId, attempt);
  const of = { taskId, attempt, workerId };
  const known = store.log(key);
  // The first look at an attempt's log leaves a mark, so that only a continued one has to ask the stream.
  const stored =
    known === 'damaged' || store.hasLogMark(key)
      ? await patiently(() => LogChunkPublisher.tail(nc, of), nc, signal)
      : undefined;
  let checkpoint = known;
  if (checkpoint === 'damaged') {
    logger.warn(
      { taskId, attempt },
      'the checkpoint of a log cannot be read: the log goes on after what the stream has',
    );
    checkpoint = await patiently(() => checkpointFromStream(nc, of), nc, signal);
    store.saveLog(key, checkpoint);
  }
  store.markLog(key);
  const publisher = new LogChunkPublisher(nc, of, signal);
  return new LogPipeline(
    { ...of, linesPerSecond, output: publisher, now: () => clock.now(), save: (saved) => store.saveLog(key, saved) },
    checkpoint,
    stored,
  );
}

/** For as long as the broker is away. */
async function patiently<T>(ask: () => Promise<T>, nc: NatsConnection, signal: AbortSignal): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || nc.isClosed()) throw error;
      await pause(backOff(failures, 100, 2_000), signal);
    }
  }
}
