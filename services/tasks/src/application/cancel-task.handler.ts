import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { timing } from '@gantry/contracts/messaging/timing';
import type { cancelTask } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { RequestCancel } from '../domain/task/task.commands.js';
import { requestOrigin } from './request-origin.js';
import { requireUser, requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

/** The scheduler takes a waiting task out of its queue within milliseconds; if it is away, the answer is that the end was asked for. */
const WITHDRAWAL_MS = 1_000;

export class CancelTaskHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {}

  /** The answer shows the end of a task that was waiting, and of a running one that its end was asked for. */
  async handle(input: ParsedInputOf<typeof cancelTask>, context: RequestContext): Promise<TaskView> {
    const { taskId, visibleTo, reason, graceMs = timing.defaultCancelGraceMs } = input;
    const actor = requireUser(context.actor);
    requireVisibility(actor, visibleTo);
    requireVisible(await this.executor.view(taskId), visibleTo);
    const command: RequestCancel = {
      type: 'RequestCancel',
      requestedBy: actor.name,
      graceMs,
      at: this.clock.now(),
      ...(reason === undefined ? {} : { reason }),
    };
    const executed = await this.executor.execute(taskId, command, requestOrigin(context, this.ids.next()));
    if (executed.state.status === 'queued') await this.executor.leftQueue(taskId, WITHDRAWAL_MS);
    return this.executor.viewAfter(taskId, executed);
  }
}
