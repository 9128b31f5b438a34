import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { deleteTask } from '@gantry/contracts/tasks/task-requests';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import type { ArtifactStore } from './artifact-store.port.js';
import { requestOrigin } from './request-origin.js';
import { requireUser, requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

export class DeleteTaskHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly artifacts: ArtifactStore,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {}

  /** The task is gone once its event is stored; its files follow (after a crash in between, at the next start). */
  async handle(input: ParsedInputOf<typeof deleteTask>, context: RequestContext): Promise<Record<string, never>> {
    const { taskId, visibleTo } = input;
    const actor = requireUser(context.actor);
    requireVisibility(actor, visibleTo);
    requireVisible(await this.executor.view(taskId), visibleTo);
    const origin = requestOrigin(context, this.ids.next());
    await this.executor.execute(taskId, { type: 'DeleteTask', deletedBy: actor.name, at: this.clock.now() }, origin);
    await this.artifacts.purgeTask(taskId);
    return {};
  }
}
