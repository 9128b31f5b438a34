import type { Commit } from '@gantry/contracts/messaging/commit';
import type { Assignment } from './record-assignment.handler.js';

export interface UnrecordedAssignment {
  readonly assignment: Assignment;
  readonly commit: Pick<Commit, 'id' | 'actor' | 'correlationId'>;
}

/** What the scheduler has decided and this service has not written into the history of the task yet. */
export interface UnrecordedAssignments {
  /** All that was stored before the call and is not recorded, oldest first. A retryable error if that cannot be found out now. */
  of(taskId: string): Promise<readonly UnrecordedAssignment[]>;
}
