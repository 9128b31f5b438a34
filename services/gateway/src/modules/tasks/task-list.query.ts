import { z } from 'zod';
import {
  listRecentTasks,
  taskFilterSchema,
  taskSortSchema,
  type ListPosition,
} from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import type { Clock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { ServiceClient } from '../../adapters/service-client.js';
import { parseInput } from '../../edge/parse-input.js';
import { reasonOf } from '../../edge/settled.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import { decodeCursor, encodeCursor } from './task-list.cursor.js';
import { mergeWindow, type MergeOrder, type SourceRows } from './task-list.merge.js';
import { compareInOrder, positionOf } from './task-list.order.js';

export const MAX_PAGE = 100;

export const taskListArgsSchema = z.object({
  filter: taskFilterSchema
    .transform((filter) => (filter.search === undefined ? filter : { ...filter, search: filter.search.trim() }))
    .default({}),
  sort: taskSortSchema.default('created'),
  descending: z.boolean().default(true),
  first: z.int().min(1).max(MAX_PAGE, `At most ${MAX_PAGE} at once; use the cursor for more.`).default(50),
  after: z.string().optional(),
});
export type TaskListArgs = z.input<typeof taskListArgsSchema>;

export interface TaskPage {
  tasks: TaskView[];
  cursors: string[];
  hasNextPage: boolean;
  endCursor: string | null;
  degraded: boolean;
}

/** Windows read for one page before it is answered short: only reached when the index is far behind. */
const MAX_WINDOWS = 5;

/** One page of tasks out of both places that know them (see `mergeWindow`). */
export class TaskListQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly latest: (taskId: string) => TaskView | undefined,
    private readonly clock: Clock,
  ) {}

  async page(rawArgs: TaskListArgs, caller: Caller): Promise<TaskPage> {
    const { filter, sort, descending, first, after } = parseInput(taskListArgsSchema, rawArgs);
    const start = after === undefined ? undefined : decodeCursor(after, sort, descending);
    const order: MergeOrder = { filter, sort, descending, now: start?.now ?? this.clock.now() };
    const found: TaskView[] = [];
    let position = start?.position;
    let degraded = false;
    let more = false;
    for (let window = 0; window < MAX_WINDOWS && found.length <= first; window += 1) {
      const { recent, archive } = await this.read(order, position, first + 1, caller);
      degraded ||= recent === undefined || archive === undefined;
      const merged = mergeWindow({ order, after: position, recent, archive, latest: this.latest });
      found.push(...merged.tasks.filter((task) => !found.some((known) => known.id === task.id)));
      more = merged.horizon !== undefined;
      if (merged.horizon === undefined) break;
      position = merged.horizon;
    }
    const tasks = found.slice(0, first);
    const cursorAt = (at: ListPosition) => encodeCursor({ sort, descending, now: order.now, position: at });
    const cursors = tasks.map((task) => cursorAt(positionOf(task, sort, order.now)));
    const cut = found.length > first;
    // A short page with more behind it continues where its windows ended, not at its last row.
    const endCursor = cut || !more || position === undefined ? (cursors.at(-1) ?? null) : cursorAt(position);
    return { tasks, cursors, hasNextPage: cut || more, endCursor, degraded };
  }

  private async read(
    order: MergeOrder,
    after: ListPosition | undefined,
    limit: number,
    caller: Caller,
  ): Promise<{ recent: SourceRows | undefined; archive: SourceRows | undefined }> {
    const input = {
      visibleTo: visibleTo(principalOf(caller)),
      ...order,
      limit,
      ...(after === undefined ? {} : { after }),
    };
    const [recent, archive] = await Promise.allSettled([
      this.services.ask(listRecentTasks, input, caller),
      this.services.ask(searchTasks, input, caller),
    ]);
    if (recent.status === 'rejected' && archive.status === 'rejected') throw reasonOf(recent);
    return { recent: rowsOf(recent, order, limit), archive: rowsOf(archive, order, limit) };
  }
}

/** A source that is down is left out; a question that it refuses is the caller's mistake and is told. */
function rowsOf(
  answer: PromiseSettledResult<{ tasks: TaskView[] }>,
  order: MergeOrder,
  limit: number,
): SourceRows | undefined {
  if (answer.status === 'rejected') {
    const { reason } = answer as { reason: unknown };
    if (reason instanceof GantryError && reason.kind !== 'unavailable' && reason.kind !== 'internal') throw reason;
    return undefined;
  }
  const { tasks } = answer.value;
  const { sort, descending, now } = order;
  const ordered = [...tasks].sort((a, b) =>
    compareInOrder(positionOf(a, sort, now), positionOf(b, sort, now), descending),
  );
  return { tasks: ordered, exhausted: tasks.length < limit };
}
