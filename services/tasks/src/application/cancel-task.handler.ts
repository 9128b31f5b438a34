import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { timing } from '@gantry/contracts/messaging/timing';
import type { cancelTask } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { RequestCancel } from '../domain/task/task.commands.js';
import type { RecordAssignmentHandler } from './record-assignment.handler.js';
import { requestOrigin } from './request-origin.js';
import { requireUser, requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';
import type { UnrecordedAssignments } from './unrecorded-assignments.port.js';

export class CancelTaskHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly unrecorded: UnrecordedAssignments,
    private readonly assignments: RecordAssignmentHandler,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {}

  async handle(input: ParsedInputOf<typeof cancelTask>, context: RequestContext): Promise<TaskView> {
    const { taskId, visibleTo, reason, graceMs = timing.defaultCancelGraceMs } = input;
    const actor = requireUser(context.actor);
    requireVisibility(actor, visibleTo);
    const task = requireVisible(await this.executor.view(taskId), visibleTo);
    if (task.status === 'queued') await this.recordWorker(taskId);
    const command: RequestCancel = {
      type: 'RequestCancel',
      requestedBy: actor.name,
      graceMs,
      at: this.clock.now(),
      ...(reason === undefined ? {} : { reason }),
    };
    const executed = await this.executor.execute(taskId, command, requestOrigin(context, this.ids.next()));
    return this.executor.viewAfter(taskId, executed);
  }

  /**
   * A task that waits ends at once, but one whose assignment has only not been recorded yet (a replica died with it in hand, or is
   * behind) may have a container already: then its agent has to confirm the end.
   */
  private async recordWorker(taskId: string): Promise<void> {
    for (const { assignment, commit } of await this.unrecorded.of(taskId))
      await this.assignments.handle(assignment, commit);
  }
}
