import type { Report } from '@gantry/contracts/agents/report';
import type { Clock } from '@gantry/kernel/clock';
import type { TaskCommandExecutor } from './task-command.executor.js';

export class RecordReportHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly clock: Clock,
    private readonly jitter: () => number,
  ) {}

  async handle({ id, workerId, taskId, attempt, at, report, earlier }: Report): Promise<void> {
    await this.executor.executeReport(
      taskId,
      { type: 'RecordReport', workerId, attempt, at, now: this.clock.now(), jitter: this.jitter(), report, earlier },
      {
        // Worker and task are part of it, so that nobody can take another one's message id.
        commandId: `report:${workerId}:${taskId}:${id}`,
        actor: { kind: 'worker', id: workerId },
        correlationId: taskId,
        causationId: id,
      },
    );
  }
}
