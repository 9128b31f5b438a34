import { z } from 'zod';
import { listRecentTasks } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { getWorkerTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import type { Clock } from '@gantry/kernel/clock';
import type { ServiceClient } from '../../adapters/service-client.js';
import { parseInput } from '../../edge/parse-input.js';
import { reasonOf } from '../../edge/settled.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';

const argsSchema = z.object({ limit: z.int().min(1).max(200).default(50) });

/** Tasks that ran on a worker, newest first: what runs now from the tasks service, what ran from the index. */
export class WorkerTasksQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly clock: Clock,
  ) {}

  async read(workerId: string, limit: number | undefined, caller: Caller): Promise<TaskView[]> {
    const { limit: count } = parseInput(argsSchema, limit === undefined ? {} : { limit });
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    const [recent, past] = await Promise.allSettled([
      this.services.ask(
        listRecentTasks,
        { ...visibility, filter: { workerId }, limit: count, now: this.clock.now() },
        caller,
      ),
      this.services.ask(getWorkerTasks, { workerId, ...visibility, limit: count }, caller),
    ]);
    if (recent.status === 'rejected' && past.status === 'rejected') throw reasonOf(recent);
    const newest = new Map<string, TaskView>();
    for (const answer of [past, recent]) {
      if (answer.status === 'rejected') continue;
      for (const task of answer.value.tasks) {
        const known = newest.get(task.id);
        if (known === undefined || task.version >= known.version) newest.set(task.id, task);
      }
    }
    return [...newest.values()]
      .filter((task) => !task.deleted)
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      .slice(0, count);
  }
}
