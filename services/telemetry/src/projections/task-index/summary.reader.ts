import type { OutputOf } from '@gantry/contracts/messaging/request';
import { type TaskStatus, taskStatuses } from '@gantry/contracts/tasks/task-status';
import type { getSummary } from '@gantry/contracts/telemetry/telemetry-requests';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';

export type Summary = OutputOf<typeof getSummary>;

const HOUR = 3_600_000;
const HOURS = 24;

const statusRow = z.tuple([z.enum(taskStatuses), z.number(), z.number(), z.number(), z.number()]);
const hourRow = z.tuple([z.number(), z.number(), z.number(), z.number()]);

export class SummaryReader {
  constructor(private readonly database: Database) {}

  async read(visibleTo: string | null, now: number): Promise<Summary> {
    const firstHour = Math.floor(now / HOUR) * HOUR - (HOURS - 1) * HOUR;
    const visible = visibleTo === null ? '' : 'AND owner_id = {visibleTo:String}';
    const parameters = { dayAgo: now - HOURS * HOUR, now, firstHour, ...(visibleTo === null ? {} : { visibleTo }) };
    const [statuses, hours] = await this.database.use((clickhouse) =>
      Promise.all([
        clickhouse.queryTuples(
          `SELECT status, count(), countIf(created_at > {dayAgo:Int64} AND created_at <= {now:Int64}),
             ifNull(sumIf(finished_at - started_at, recent AND started_at IS NOT NULL), 0), countIf(recent AND started_at IS NOT NULL)
           FROM (SELECT *, status = 'succeeded' AND ifNull(finished_at, 0) > {dayAgo:Int64} AS recent FROM
             (SELECT status, created_at, started_at, finished_at FROM task_index FINAL WHERE deleted = 0 ${visible}))
           GROUP BY status`,
          parameters,
          statusRow.transform(([status, count, lastDay, milliseconds, ended]) => ({
            status,
            count,
            lastDay,
            milliseconds,
            ended,
          })),
        ),
        clickhouse.queryTuples(
          `SELECT intDiv(moment.2, ${HOUR}) * ${HOUR} AS hour,
             countIf(moment.1 = 'submitted'), countIf(moment.1 = 'succeeded'), countIf(moment.1 = 'failed')
           FROM (SELECT status, created_at, finished_at FROM task_index FINAL WHERE deleted = 0 ${visible})
           ARRAY JOIN [('submitted', created_at),
             (multiIf(status = 'succeeded', 'succeeded', status IN ('failed', 'timed_out'), 'failed', ''), ifNull(finished_at, 0))] AS moment
           WHERE moment.2 >= {firstHour:Int64} AND moment.2 <= {now:Int64}
           GROUP BY hour`,
          parameters,
          hourRow,
        ),
      ]),
    );
    const byHour = new Map(hours.map(([hour, ...counts]) => [hour, counts]));
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    const ended = sum(statuses.map((row) => row.ended));
    const byStatus = Object.fromEntries(taskStatuses.map((status) => [status, 0])) as Record<TaskStatus, number>;
    for (const row of statuses) byStatus[row.status] = row.count;
    return {
      total: sum(statuses.map((row) => row.count)),
      last24h: sum(statuses.map((row) => row.lastDay)),
      byStatus,
      perHour: Array.from({ length: HOURS }, (_, index) => {
        const hour = firstHour + index * HOUR;
        const [submitted = 0, succeeded = 0, failed = 0] = byHour.get(hour) ?? [];
        return { hour, submitted, succeeded, failed };
      }),
      averageDurationSeconds: ended === 0 ? null : sum(statuses.map((row) => row.milliseconds)) / ended / 1_000,
    };
  }
}
