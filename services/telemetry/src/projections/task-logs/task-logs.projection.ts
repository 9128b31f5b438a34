import type { ColumnValue } from '@gantry/clickhouse/tab-separated-rows';
import { type LogChunk, logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Database } from '../../application/database.port.js';
import { parseMessages } from '../../application/parse-messages.js';
import type { StreamProjection } from '../../application/stream-projection.port.js';

const lineColumns = ['task_id', 'attempt', 'seq', 'n', 'stream', 't', 'text', 'partial'] as const;
const attemptColumns = ['task_id', 'attempt', 'last_seq', 'ended'] as const;

/** LOGS -> tables `task_logs` and `log_attempts`. The lines go first: what `log_attempts` names can be read. */
export class TaskLogsProjection implements StreamProjection {
  constructor(private readonly database: Database) {}

  async apply(messages: readonly StreamMessage[]): Promise<void> {
    const chunks = parseMessages(messages, logChunkSchema);
    await this.database.use(async (clickhouse) => {
      await clickhouse.insert('task_logs', lineColumns, lineRows(chunks));
      await clickhouse.insert('log_attempts', attemptColumns, attemptRows(chunks));
    });
  }
}

function* lineRows(chunks: readonly LogChunk[]): Iterable<ColumnValue[]> {
  for (const { taskId, attempt, lines } of chunks) {
    for (const { seq, n, stream, t, text, partial } of lines) {
      yield [taskId, attempt, seq, n, stream, t, text, partial === true ? 1 : 0];
    }
  }
}

function attemptRows(chunks: readonly LogChunk[]): ColumnValue[][] {
  const rows = new Map<string, { taskId: string; attempt: number; lastSeq: number; ended: boolean }>();
  for (const { taskId, attempt, lines, end } of chunks) {
    const key = `${taskId}:${attempt}`;
    const known = rows.get(key);
    const lastSeq = Math.max(known?.lastSeq ?? 0, lines.at(-1)?.seq ?? 0);
    rows.set(key, { taskId, attempt, lastSeq, ended: end || known?.ended === true });
  }
  return [...rows.values()].map(({ taskId, attempt, lastSeq, ended }) => [taskId, attempt, lastSeq, ended ? 1 : 0]);
}
