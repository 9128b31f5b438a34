import type { ColumnValue } from '@gantry/clickhouse/tab-separated-rows';
import { type LogChunk, logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Database } from '../../application/database.port.js';
import { parseMessages } from '../../application/parse-messages.js';
import { storeInSlices } from '../../application/store-in-slices.js';
import type { StreamProjection } from '../../application/stream-projection.port.js';

const lineColumns = ['task_id', 'attempt', 'seq', 'n', 'stream', 't', 'text', 'partial'] as const;
const attemptColumns = ['task_id', 'attempt', 'last_seq', 'ended'] as const;

/** About 25,000 lines of ordinary length: enough for the engine to be efficient. */
const SLICE_BYTES = 4 * 1024 * 1024;

interface AttemptRow {
  readonly taskId: string;
  readonly attempt: number;
  readonly lastSeq: number;
  readonly ended: boolean;
}

/** LOGS -> tables `task_logs` and `log_attempts`. The lines go first: what `log_attempts` names can be read. */
export class TaskLogsProjection implements StreamProjection {
  constructor(private readonly database: Database) {}

  async apply(messages: readonly StreamMessage[]): Promise<void> {
    const attempts = new Map<string, AttemptRow>();
    await storeInSlices(
      messages,
      SLICE_BYTES,
      (slice) => parseMessages(slice, logChunkSchema),
      async (chunks) => {
        await this.database.use((clickhouse) =>
          clickhouse.insert('task_logs', lineColumns, lineRows(chunks), { allCores: true }),
        );
        noteAttempts(attempts, chunks);
      },
    );
    const rows = [...attempts.values()].map(({ taskId, attempt, lastSeq, ended }) => [
      ...[taskId, attempt, lastSeq, ended ? 1 : 0],
    ]);
    await this.database.use((clickhouse) => clickhouse.insert('log_attempts', attemptColumns, rows));
  }
}

function* lineRows(chunks: readonly LogChunk[]): Iterable<ColumnValue[]> {
  for (const { taskId, attempt, lines } of chunks) {
    for (const { seq, n, stream, t, text, partial } of lines) {
      yield [taskId, attempt, seq, n, stream, t, text, partial === true ? 1 : 0];
    }
  }
}

function noteAttempts(attempts: Map<string, AttemptRow>, chunks: readonly LogChunk[]): void {
  for (const { taskId, attempt, lines, end } of chunks) {
    const key = `${taskId}:${attempt}`;
    const known = attempts.get(key);
    const lastSeq = Math.max(known?.lastSeq ?? 0, lines.at(-1)?.seq ?? 0);
    attempts.set(key, { taskId, attempt, lastSeq, ended: end || known?.ended === true });
  }
}
