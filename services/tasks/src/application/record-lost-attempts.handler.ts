import type { Commit } from '@gantry/contracts/messaging/commit';
import type { Clock } from '@gantry/kernel/clock';
import type { TaskCommandExecutor } from './task-command.executor.js';

export interface LostAttempts {
  readonly workerId: string;
  readonly message: string;
  readonly tasks: readonly { readonly taskId: string; readonly attempt: number }[];
}

export class RecordLostAttemptsHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly clock: Clock,
    private readonly jitter: () => number,
  ) {}

  /** All of them, even if one fails: the stream delivers the message again and the others are then nothing to do. */
  async handle(
    { workerId, message, tasks }: LostAttempts,
    cause: Pick<Commit, 'id' | 'actor' | 'correlationId'>,
  ): Promise<void> {
    const outcomes = await Promise.allSettled(
      tasks.map(({ taskId, attempt }) =>
        this.executor.afterAssignment(taskId, attempt, () =>
          this.executor.execute(
            taskId,
            { type: 'RecordAttemptLost', attempt, workerId, message, now: this.clock.now(), jitter: this.jitter() },
            {
              commandId: `lost:${cause.id}:${taskId}:${attempt}`,
              actor: cause.actor,
              correlationId: cause.correlationId,
              causationId: cause.id,
            },
          ),
        ),
      ),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason as Error;
  }
}
