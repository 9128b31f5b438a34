import type { TaskListInput } from '@gantry/contracts/tasks/task-requests';
import { type TaskView, taskViewSchema } from '@gantry/contracts/tasks/task-view';
import { z } from 'zod';
import type { Database } from '../../application/database.port.js';
import { taskListQuery } from './task-list.query.js';

const rowSchema = z.tuple([z.string().transform((text): TaskView => taskViewSchema.parse(JSON.parse(text)))]);

export class TaskIndexReader {
  constructor(private readonly database: Database) {}

  async list(input: TaskListInput): Promise<TaskView[]> {
    const { sql, parameters } = taskListQuery(input);
    return this.views(sql, parameters);
  }

  async viewsOf(ids: readonly string[]): Promise<TaskView[]> {
    if (ids.length === 0) return [];
    return this.views('SELECT view FROM task_index FINAL WHERE id IN {ids:Array(String)}', { ids });
  }

  /** Tasks of which any attempt ran there, newest first. */
  ofWorker(workerId: string, visibleTo: string | null, limit: number): Promise<TaskView[]> {
    return this.views(
      `SELECT view FROM task_index FINAL
       WHERE deleted = 0 AND has(worker_ids, {workerId:String}) ${visibleTo === null ? '' : 'AND owner_id = {visibleTo:String}'}
       ORDER BY created_at DESC, id DESC LIMIT {limit:UInt32}`,
      { workerId, limit, ...(visibleTo === null ? {} : { visibleTo }) },
    );
  }

  private async views(sql: string, parameters: Record<string, unknown>): Promise<TaskView[]> {
    const rows = await this.database.use((clickhouse) => clickhouse.queryTuples(sql, parameters, rowSchema));
    return rows.map(([view]) => view);
  }
}
