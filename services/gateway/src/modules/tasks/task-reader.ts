import { z } from 'zod';
import { getTask, getTaskHistory, type TimelineEntry } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { getArchivedTask } from '@gantry/contracts/telemetry/telemetry-requests';
import { explainTask, type Explanation } from '@gantry/contracts/scheduling/scheduler-requests';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { ServiceClient } from '../../adapters/service-client.js';
import { parseInput } from '../../edge/parse-input.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';

const idSchema = z.object({ id: z.uuid('A task id is a UUID.') });

export function taskNotFound(): GantryError {
  return new GantryError('TASK.NOT_FOUND', 'not_found', 'There is no such task, or it is not yours. Check the id.');
}

/** One task and what hangs on it, seen with the eyes of the caller: from the tasks service, or from the archive. */
export class TaskReader {
  constructor(private readonly services: ServiceClient) {}

  /** Throws `not_found` both for what does not exist and for what the caller may not see. */
  async get(id: string, caller: Caller): Promise<{ task: TaskView; queuePosition: number | null }> {
    const taskId = parseInput(idSchema, { id }).id;
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    try {
      const answer = await this.services.ask(getTask, { taskId, ...visibility }, caller);
      if (answer.task.deleted) throw taskNotFound();
      return answer;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const { task } = await this.archived(taskId, visibility, caller);
      return { task, queuePosition: null };
    }
  }

  async history(id: string, caller: Caller): Promise<TimelineEntry[]> {
    const taskId = parseInput(idSchema, { id }).id;
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    try {
      return (await this.services.ask(getTaskHistory, { taskId, ...visibility }, caller)).entries;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return (await this.archived(taskId, visibility, caller)).entries;
    }
  }

  /** The scheduler does not know owners: the right to see the task is checked first. */
  async explain(id: string, caller: Caller): Promise<Explanation> {
    const { task } = await this.get(id, caller);
    return this.services.ask(explainTask, { taskId: task.id }, caller);
  }

  /** An outage of the archive is told as such: "not found" would be a lie about a task that may well be there. */
  private async archived(taskId: string, visibility: { visibleTo: string | null }, caller: Caller) {
    const answer = await this.services.ask(getArchivedTask, { taskId, ...visibility }, caller);
    if (answer.task.deleted) throw taskNotFound();
    return answer;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof GantryError && error.kind === 'not_found';
}
