import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { mayBeGivenUp, type Silence } from './lease.js';

export interface AssignmentBatch {
  /** In order of assignment. */
  readonly run: AssignEventData<'TaskAssigned'>[];
  /** The scheduler may have called this worker lost since: somebody else may have it already. */
  readonly stale: AssignEventData<'TaskAssigned'>[];
  /** Cancelled before they were looked at. They never run, and whoever cancelled them waits to hear so. */
  readonly cancelled: AssignEventData<'TaskAssigned'>[];
  readonly revoke: AssignEventData<'AssignmentRevoked'>[];
}

/**
 * What to do about events that were read from the stream. An assignment in them is only good if nothing revoked it and the worker
 * cannot have been called lost since the last read. That is judged by the agent's own heartbeats and not by ages: a connection that
 * goes silent without breaking delivers old assignments as if they were new, and the clocks of two machines differ.
 */
export function sortAssignments(events: readonly AssignEvent[], silence: Silence): AssignmentBatch {
  const revoke = events.flatMap((event) => (event.type === 'AssignmentRevoked' ? [event.data] : []));
  const revoked = new Map(revoke.map(({ taskId, attempt, reason }) => [`${taskId}:${attempt}`, reason]));
  const run: AssignEventData<'TaskAssigned'>[] = [];
  const stale: AssignEventData<'TaskAssigned'>[] = [];
  const cancelled: AssignEventData<'TaskAssigned'>[] = [];
  for (const event of events) {
    if (event.type !== 'TaskAssigned') continue;
    const assignment = event.data;
    const reason = revoked.get(`${assignment.taskId}:${assignment.attempt}`);
    if (reason === 'cancelled') cancelled.push(assignment);
    // Superseded, or its worker called lost: nobody waits for it.
    if (reason !== undefined) continue;
    if (mayBeGivenUp(silence, assignment.leaseMs)) stale.push(assignment);
    else run.push(assignment);
  }
  return { run, stale, cancelled, revoke };
}
