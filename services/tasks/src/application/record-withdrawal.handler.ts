import type { Commit } from '@gantry/contracts/messaging/commit';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { Clock } from '@gantry/kernel/clock';
import type { TaskCommandExecutor } from './task-command.executor.js';

export class RecordWithdrawalHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly clock: Clock,
  ) {}

  async handle(
    { taskId, attempt }: AssignEventData<'TaskWithdrawn'>,
    cause: Pick<Commit, 'id' | 'actor' | 'correlationId'>,
  ): Promise<void> {
    await this.executor.execute(
      taskId,
      { type: 'RecordWithdrawal', attempt, now: this.clock.now() },
      {
        commandId: `withdraw:${cause.id}:${taskId}:${attempt}`,
        actor: cause.actor,
        correlationId: cause.correlationId,
        causationId: cause.id,
      },
    );
  }
}
