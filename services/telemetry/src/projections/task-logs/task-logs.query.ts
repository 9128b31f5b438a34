import type { QueryParameters } from '@gantry/clickhouse/clickhouse';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import type { readLogs } from '@gantry/contracts/telemetry/telemetry-requests';

export type LogsInput = ParsedInputOf<typeof readLogs>;

export interface LogsQuery {
  sql: string;
  parameters: QueryParameters;
  /** True if the rows come newest first. */
  reversed: boolean;
}

/** What JSON needs for a line beside its text. */
const LINE_BYTES = 96;

/**
 * One page of lines. A page ends at `limit` lines or at `replyBytes` of text, whichever comes first, and has at least one
 * line if there is any. `LIMIT 1 BY` drops copies that redelivery made and no merge has removed yet.
 */
export function logsQuery(input: LogsInput, attempt: number, replyBytes: number): LogsQuery {
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
  const direction = reversed ? 'DESC' : 'ASC';
  return {
    reversed,
    parameters,
    sql: `SELECT seq, n, stream, t, text, partial FROM (
        SELECT *, sum(length(toJSONString(text)) + ${LINE_BYTES}) OVER (ORDER BY seq ${direction} ROWS UNBOUNDED PRECEDING) AS bytes,
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
