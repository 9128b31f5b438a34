import type { Commit } from '@gantry/contracts/messaging/commit';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { TaskCommandExecutor } from './task-command.executor.js';

export type Assignment = Omit<AssignEventData<'TaskAssigned'>, 'spec' | 'ownerId'>;

export class RecordAssignmentHandler {
  constructor(private readonly executor: TaskCommandExecutor) {}

  async handle(assignment: Assignment, cause: Pick<Commit, 'id' | 'actor' | 'correlationId'>): Promise<void> {
    const { taskId, attempt, workerId, workerName, leaseMs, gpuIds, assignedAt } = assignment;
    await this.executor.executeAssignment(
      taskId,
      { type: 'RecordAssignment', attempt, workerId, workerName, leaseMs, gpuIds, assignedAt },
      {
        commandId: `assign:${cause.id}:${taskId}:${attempt}`,
        actor: cause.actor,
        correlationId: cause.correlationId,
        causationId: cause.id,
      },
    );
  }
}
