import type { OutputOf, ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type {
  countTasks,
  getTask,
  getTaskHistory,
  listRecentTasks,
  TimelineEntry,
} from '@gantry/contracts/tasks/task-requests';
import { timelineOf } from '@gantry/contracts/tasks/task-timeline';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

export class ReadTasksHandler {
  constructor(private readonly executor: TaskCommandExecutor) {}

  async get(input: ParsedInputOf<typeof getTask>, context: RequestContext): Promise<OutputOf<typeof getTask>> {
    requireVisibility(context.actor, input.visibleTo);
    const task = requireVisible(await this.executor.view(input.taskId), input.visibleTo);
    return { task, queuePosition: this.executor.board.queuePosition(task) };
  }

  /** One entry per event, straight from the stream. */
  async history(
    input: ParsedInputOf<typeof getTaskHistory>,
    context: RequestContext,
  ): Promise<{ entries: TimelineEntry[] }> {
    requireVisibility(context.actor, input.visibleTo);
    const held = this.executor.board.get(input.taskId);
    if (held !== undefined) requireVisible(held, input.visibleTo);
    const commits = await this.executor.history(input.taskId);
    let view: TaskView | undefined;
    for (const stored of commits) view = foldTaskCommit(view, stored);
    requireVisible(view, input.visibleTo);
    return { entries: timelineOf(commits) };
  }

  list(input: ParsedInputOf<typeof listRecentTasks>, context: RequestContext): OutputOf<typeof listRecentTasks> {
    requireVisibility(context.actor, input.visibleTo);
    return { tasks: this.executor.board.list(input) };
  }

  count(input: ParsedInputOf<typeof countTasks>, context: RequestContext): OutputOf<typeof countTasks> {
    requireVisibility(context.actor, input.visibleTo);
    return { byStatus: this.executor.board.countByStatus(input.visibleTo) };
  }
}
