import { type LogLine, logStreamSchema } from '@gantry/contracts/agents/log-chunk';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import type { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';
import { type LogsInput, logsQuery } from './task-logs.query.js';

type LogPage = OutputOf<typeof readLogs>;

const attemptRow = z.tuple([z.number(), z.number(), z.number()]);
const lineRow = z
  .tuple([z.number(), z.number(), logStreamSchema, z.number(), z.string(), z.number(), z.number()])
  .transform(([seq, n, stream, t, text, partial, found]): { line: LogLine; found: number } => ({
    line: { seq, n, stream, t, text, ...(partial === 1 ? { partial: true } : {}) },
    found,
  }));

export class TaskLogsReader {
  constructor(
    private readonly database: Database,
    private readonly replyBytes: number,
  ) {}

  read(input: LogsInput): Promise<LogPage> {
    return this.database.use(async (clickhouse) => {
      const attempts = await clickhouse.queryTuples(
        `SELECT attempt, max(last_seq), max(ended) FROM log_attempts
         WHERE task_id = {taskId:String} ${input.attempt === undefined ? '' : 'AND attempt = {attempt:UInt32}'}
         GROUP BY attempt ORDER BY max(last_seq) > 0 DESC, attempt DESC LIMIT 1`,
        { taskId: input.taskId, ...(input.attempt === undefined ? {} : { attempt: input.attempt }) },
        attemptRow,
      );
      const [newest] = attempts;
      if (newest === undefined) return { attempt: input.attempt ?? null, lines: [], lastSeq: 0, complete: false };
      const [attempt, lastSeq, ended] = newest;
      const page = { attempt, lastSeq, replyBytes: this.replyBytes };
      const { sql, parameters, reversed, windowed } = logsQuery(input, { ...page, windowed: true });
      let rows = await clickhouse.queryTuples(sql, parameters, lineRow);
      if (windowed && (rows[0]?.found ?? 0) < input.limit) {
        // Lines were lost inside the window: the rest of the page lies beyond it.
        const whole = logsQuery(input, { ...page, windowed: false });
        rows = await clickhouse.queryTuples(whole.sql, whole.parameters, lineRow);
      }
      const lines = rows.map(({ line }) => line);
      return { attempt, lines: reversed ? lines.reverse() : lines, lastSeq, complete: ended === 1 };
    });
  }
}
