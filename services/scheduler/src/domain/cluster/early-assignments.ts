import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { TransientMap } from '@gantry/kernel/transient-map';

/** Bounded, because most of them are simply over. */
const MOST = 10_000;

export interface EarlyAssignment {
  readonly data: AssignEventData<'TaskAssigned'>;
  readonly sequence: number;
}

/** Assignments that ASSIGN showed before TASKS showed the task or the attempt. One per task, of its newest attempt. */
export class EarlyAssignments {
  private readonly byTask = new TransientMap<string, EarlyAssignment>();

  /** Of two workers with the same attempt the first one in the stream has it; answers the other one. */
  remember(early: EarlyAssignment): EarlyAssignment | undefined {
    const { taskId, attempt, workerId } = early.data;
    const known = this.byTask.get(taskId);
    if (known !== undefined && known.data.attempt > attempt) return undefined;
    const rival = known?.data.attempt === attempt && known.data.workerId !== workerId ? known : undefined;
    if (rival !== undefined && rival.sequence < early.sequence) return early;
    this.byTask.delete(taskId);
    this.byTask.set(taskId, early);
    if (this.byTask.size > MOST) this.byTask.delete(this.byTask.keys().next().value!);
    return rival;
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
