import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { retryTask } from '@gantry/contracts/tasks/task-requests';
import { isTerminal } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { deterministicId, type IdSource } from '@gantry/kernel/ids';
import { taskErrors } from '../domain/task/task.errors.js';
import type { SubmitTaskHandler } from './submit-task.handler.js';
import { requireUser, requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

/** A new task with the old one's spec and owner (also when an administrator repeats it for them). */
export class RetryTaskHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly submitTask: SubmitTaskHandler,
    private readonly ids: IdSource,
  ) {}

  async handle(input: ParsedInputOf<typeof retryTask>, context: RequestContext): Promise<TaskView> {
    const { taskId, visibleTo, idempotencyKey } = input;
    const actor = requireUser(context.actor);
    requireVisibility(actor, visibleTo);
    const old = requireVisible(await this.executor.view(taskId), visibleTo);
    if (!isTerminal(old.status)) throw taskErrors.notFinished();
    const newId =
      idempotencyKey === undefined ? this.ids.next() : deterministicId(actor.id, 'retry', taskId, idempotencyKey);
    const { ownerId, ownerName, spec } = old;
    const { task } = await this.submitTask.submit(
      { taskId: newId, ownerId, ownerName, spec, retryOf: taskId },
      context,
    );
    return task;
  }
}
