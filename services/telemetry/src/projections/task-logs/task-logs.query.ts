import type { QueryParameters } from '@gantry/clickhouse/clickhouse';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import type { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';

export type LogsInput = ParsedInputOf<typeof readLogs>;

export interface LogsQuery {
  sql: string;
  parameters: QueryParameters;
  /** True if the rows come newest first. */
  reversed: boolean;
  /** True if only a part of the attempt was searched: fewer rows than the limit do not mean that there are no more. */
  windowed: boolean;
}

interface LogsPage {
  attempt: number;
  /** Largest seq of the attempt. */
  lastSeq: number;
  replyBytes: number;
  /** Look only where the page must lie if no line was lost; else through the whole attempt. */
  windowed: boolean;
}

/** What JSON needs for a line beside its text. */
const LINE_BYTES = 96;

/**
 * One page of lines. A page ends at `limit` lines or at `replyBytes` of text, whichever comes first, and has at least one
 * line if there is any. `LIMIT 1 BY` drops copies that redelivery made and no merge has removed yet. Lines are numbered without
 * gaps unless some were lost, so a page without a filter is looked for in a window of numbers first, which the sort
 * key finds at once however long the log is. The last column is the number of rows before the cut by size.
 */
export function logsQuery(input: LogsInput, { attempt, lastSeq, replyBytes, windowed }: LogsPage): LogsQuery {
  const conditions = ['task_id = {taskId:String}', 'attempt = {attempt:UInt32}'];
  const parameters: QueryParameters = { taskId: input.taskId, attempt, limit: input.limit, replyBytes };
  const add = (condition: string, values: QueryParameters) => {
    conditions.push(condition);
    Object.assign(parameters, values);
  };
  if (input.afterSeq !== undefined) add('seq > {afterSeq:UInt64}', { afterSeq: input.afterSeq });
  if (input.beforeSeq !== undefined) add('seq < {beforeSeq:UInt64}', { beforeSeq: input.beforeSeq });
  if (input.stream !== undefined) add('stream = {stream:String}', { stream: input.stream });
  if (input.search !== undefined && input.search !== '') {
    add('positionCaseInsensitiveUTF8(text, {search:String}) > 0', { search: input.search });
  }
  // A page that goes on after a line reads forward, whatever else is said.
  const reversed = input.afterSeq === undefined && (input.beforeSeq !== undefined || input.tail);
  const window = windowed ? windowOf(input, reversed, lastSeq) : undefined;
  if (window !== undefined)
    add('seq >= {windowFrom:UInt64} AND seq <= {windowTo:UInt64}', { windowFrom: window.from, windowTo: window.to });
  const direction = reversed ? 'DESC' : 'ASC';
  return {
    reversed,
    windowed:
      window !== undefined &&
      (reversed ? window.from > 1 : window.to < Math.min(lastSeq, (input.beforeSeq ?? lastSeq + 1) - 1)),
    parameters,
    sql: `SELECT seq, n, stream, t, text, partial, found FROM (
        SELECT *, count() OVER () AS found, sum(length(toJSONString(text)) + ${LINE_BYTES}) OVER (ORDER BY seq ${direction} ROWS UNBOUNDED PRECEDING) AS bytes,
          row_number() OVER (ORDER BY seq ${direction}) AS place
        FROM (
          SELECT seq, n, stream, t, text, partial FROM task_logs
          WHERE ${conditions.join(' AND ')}
          ORDER BY seq ${direction} LIMIT 1 BY seq LIMIT {limit:UInt32}
        )
      ) WHERE bytes <= {replyBytes:UInt64} OR place = 1
      ORDER BY seq ${direction}`,
  };
}

function windowOf(input: LogsInput, reversed: boolean, lastSeq: number): { from: number; to: number } | undefined {
  if (input.stream !== undefined || (input.search !== undefined && input.search !== '')) return undefined;
  if (reversed) {
    const to = Math.min(lastSeq, (input.beforeSeq ?? lastSeq + 1) - 1);
    return { from: Math.max(1, to - input.limit + 1), to };
  }
  const from = (input.afterSeq ?? 0) + 1;
  return { from, to: from + input.limit - 1 };
}
