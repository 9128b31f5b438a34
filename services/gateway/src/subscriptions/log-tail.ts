import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { logChunkSchema, type LogChunk, type LogLine } from '@gantry/contracts/agents/log-chunk';
import { isTerminal } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import type { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { GantryError } from '@gantry/kernel/gantry-error';
import { ChunkBuffer } from './chunk-buffer.js';
import { LogCursor, type LogBatch } from './log-cursor.js';
import type { StreamReader } from './stream-reader.port.js';

type HistoryPage = OutputOf<typeof readLogs>;

export interface LogTailPorts {
  reader: Pick<StreamReader, 'follow'>;
  /** Lines of one attempt after a sequence number, from the archive. */
  history(taskId: string, attempt: number, afterSeq: number, limit: number): Promise<HistoryPage>;
  /** Starts collecting the changes of a task; `next` waits for one. */
  watch(taskId: string, onChange: (task: TaskView) => void): () => void;
}

export interface LogTailRequest {
  task: TaskView;
  /** Default: the task's current attempt. */
  attempt: number | undefined;
  afterSeq: number;
  /** False: what there is of this one attempt, then the end (a download). */
  follow: boolean;
}

const HISTORY_PAGE = 5_000;
/**
 * The last chunk of an attempt comes from the agent, the end of the task from the tasks service: either may be first. Of a flood much may
 * still come after the end of its task, so only as long a silence says that nobody will send the rest.
 */
const END_GRACE_MS = 5_000;

/**
 * Lines of a task from a cursor on, without a gap and without repeats, through all further attempts, until the task has
 * ended and its last attempt said that nothing follows. LOGS is read from its start; what it no longer keeps comes from
 * the archive, recognised by the line numbers.
 */
export async function* tailLogs(
  ports: LogTailPorts,
  request: LogTailRequest,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  let { task } = request;
  const taskId = task.id;
  const reading = new AbortController();
  const stop = AbortSignal.any([signal, reading.signal]);
  const buffer = new ChunkBuffer<LogChunk>();
  const unwatch = ports.watch(taskId, (changed) => {
    if (changed.version > task.version) task = changed;
    buffer.wake();
  });
  const following = ports.reader
    .follow({
      stream: streams.logs.name,
      from: 1,
      filter: subjects.logsOfTask(taskId),
      prefetch: 20,
      signal: stop,
      onMessage: (record) => {
        const parsed = logChunkSchema.safeParse(record.json());
        return parsed.success ? buffer.put(parsed.data, stop) : undefined;
      },
      onCaughtUp: () => buffer.markCaughtUp(),
    })
    .catch((error: unknown) => buffer.fail(error));

  const cursor = new LogCursor(request.attempt ?? task.attempt, request.afterSeq);
  const fill = (attempt: number, until: number | undefined) => fillFromHistory(ports, taskId, cursor, attempt, until);
  let graceEnds: number | undefined;
  let filled = false;
  try {
    while (!stop.aborted) {
      const chunk = buffer.next();
      if (chunk !== undefined) {
        graceEnds = undefined;
        if (cursor.isOld(chunk) || (!request.follow && chunk.attempt !== cursor.attempt)) continue;
        if (chunk.attempt > cursor.attempt) {
          if (!filled) yield* fill(cursor.attempt, undefined);
          yield* cursor.moveTo(chunk.attempt);
        }
        filled = true;
        if (cursor.hasGapBefore(chunk)) yield* fill(chunk.attempt, chunk.lines[0]?.seq);
        yield* cursor.accept(chunk);
        continue;
      }
      if (buffer.caughtUp && !filled) {
        filled = true;
        try {
          yield* fill(cursor.attempt, undefined);
        } catch (error) {
          // What is running has its lines in the stream, so a live tail needs no archive; the past does.
          if (!isUnavailable(error) || !request.follow || isTerminal(task.status)) throw error;
        }
        continue;
      }
      if (buffer.caughtUp && !request.follow) return;
      if (buffer.caughtUp && (isTerminal(task.status) || task.deleted)) {
        // Later attempts whose lines have left the stream already.
        while (cursor.attempt < task.attempt) {
          yield* cursor.moveTo(cursor.attempt + 1);
          yield* fill(cursor.attempt, undefined);
        }
        if (cursor.complete || !hasRun(task)) break;
        graceEnds ??= performance.now() + END_GRACE_MS;
        if (performance.now() >= graceEnds) {
          yield* fill(cursor.attempt, undefined);
          break;
        }
      }
      await buffer.news(stop, graceEnds);
    }
    if (stop.aborted) return;
    yield* cursor.finish();
  } finally {
    reading.abort();
    unwatch();
    await following;
  }
}

/** An attempt that no agent took up writes no lines and no end. */
function hasRun(task: TaskView): boolean {
  return task.attempts.some(
    (entry) => entry.attempt === task.attempt && (entry.startedAt !== null || entry.finishedAt !== null),
  );
}

function isUnavailable(error: unknown): boolean {
  return error instanceof GantryError && error.kind === 'unavailable';
}

async function* fillFromHistory(
  ports: LogTailPorts,
  taskId: string,
  cursor: LogCursor,
  attempt: number,
  until: number | undefined,
): AsyncGenerator<LogBatch> {
  for (;;) {
    const page = await ports.history(taskId, attempt, cursor.lastSeq, HISTORY_PAGE);
    const lines = page.lines.filter((line: LogLine) => until === undefined || line.seq < until);
    yield* cursor.accept({ attempt, lines, end: until === undefined && page.complete && lines.length < HISTORY_PAGE });
    if (page.lines.length < HISTORY_PAGE || lines.length < page.lines.length) return;
  }
}
