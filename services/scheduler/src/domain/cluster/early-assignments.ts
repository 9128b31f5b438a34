import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';

/** Bounded, because most of them are simply over. */
const MOST = 10_000;

export interface EarlyAssignment {
  readonly data: AssignEventData<'TaskAssigned'>;
  readonly sequence: number;
}

/** Assignments that ASSIGN showed before TASKS showed the task or the attempt. One per task: the newest. */
export class EarlyAssignments {
  private readonly byTask = new Map<string, EarlyAssignment>();

  remember(early: EarlyAssignment): void {
    const { taskId } = early.data;
    this.byTask.delete(taskId);
    this.byTask.set(taskId, early);
    if (this.byTask.size <= MOST) return;
    this.byTask.delete(this.byTask.keys().next().value!);
  }

  take(taskId: string, attempt: number): EarlyAssignment | undefined {
    const found = this.byTask.get(taskId);
    if (found?.data.attempt !== attempt) return undefined;
    this.byTask.delete(taskId);
    return found;
  }

  forget(taskId: string): void {
    this.byTask.delete(taskId);
  }

  /** Oldest first. */
  list(): EarlyAssignment[] {
    return [...this.byTask.values()];
  }
}
