import { backOff, pause } from '@gantry/jetstream/pause';
import type Docker from 'dockerode';
import { LogFrameParser } from '../../domain/logs/log-frame.parser.js';
import type { LogCursor, RawLine } from '../../domain/logs/raw-line.js';
import { TimestampedLineDecoder } from '../../domain/logs/timestamped-line.decoder.js';
import type { LogSink } from '../container-runtime.port.js';
import type { ContainerEnds } from './container-ends.js';
import { isUnreachable, openResponse, reasonOf, statusOf } from './docker-engine.js';

const TRIES_AFTER_END = 5;
/** What has ended by then is read once, whole. Nobody misses these moments of a log: starting the container took longer. */
const FOLLOW_AFTER_MS = 150;
/** The engine closes a followed log just before it says that the container has ended. */
const TOLD_WITHIN_MS = 100;

/**
 * Reads a container's log to its end. The end of a followed response says little (the container ended, or the engine went away),
 * so it is read again from the last position until a reading that began after the container's end brings nothing new.
 */
export async function followDockerLogs(
  { docker, ends }: { docker: Docker; ends: ContainerEnds },
  containerId: string,
  start: LogCursor | undefined,
  sink: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TimestampedLineDecoder(start);
  let failures = 0;
  let ended = await ends.within(containerId, FOLLOW_AFTER_MS, signal);
  while (!signal.aborted) {
    try {
      // Known before reading: only what is read after the end can be complete.
      const complete = ended;
      await readOnce(docker, containerId, decoder, !complete, sink, signal);
      if (complete) return;
      failures = 0;
      ended = (await ends.within(containerId, TOLD_WITHIN_MS, signal)) || !(await isRunning(docker, containerId));
    } catch (error) {
      if (signal.aborted || statusOf(error) === 404) return;
      failures += 1;
      // The engine answers, but what it gives cannot be read: it will be no better the next time.
      if (ended && !isUnreachable(error) && failures >= TRIES_AFTER_END)
        throw new Error(reasonOf(error), { cause: error });
      await pause(backOff(failures, 100, 5_000), signal);
    }
    decoder.rewind();
  }
}

async function readOnce(
  docker: Docker,
  containerId: string,
  decoder: TimestampedLineDecoder,
  follow: boolean,
  sink: LogSink,
  signal: AbortSignal,
): Promise<void> {
  const since = decoder.since();
  const response = await openResponse(
    docker,
    {
      method: 'GET',
      path: `/containers/${containerId}/logs`,
      query: {
        stdout: '1',
        stderr: '1',
        timestamps: '1',
        ...(follow ? { follow: '1' } : {}),
        ...(since === undefined ? {} : { since: String(since) }),
      },
    },
    signal,
  );
  const parser = new LogFrameParser();
  let lines: RawLine[] = [];
  const take = (line: RawLine): void => {
    lines.push(line);
  };
  for await (const bytes of response) {
    parser.push(bytes as Buffer, (stream, payload) => decoder.decode(stream, payload, take));
    if (lines.length === 0) continue;
    const batch = lines;
    lines = [];
    await sink.write(batch, decoder.cursor());
  }
}

async function isRunning(docker: Docker, containerId: string): Promise<boolean> {
  const { State } = await docker.getContainer(containerId).inspect();
  return State.Running;
}
