import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';

export interface AssignmentBatch {
  /** In order of assignment. */
  readonly run: AssignEventData<'TaskAssigned'>[];
  /** Assigned too long ago: somebody else may have it already. */
  readonly stale: AssignEventData<'TaskAssigned'>[];
  readonly revoke: AssignEventData<'AssignmentRevoked'>[];
}

/**
 * What to do about events that were read from the stream. `missed` events happened while the agent was away: an assignment in
 * them is only good if nothing revoked it and it is younger than its lease, since its scheduler has given it up otherwise.
 */
export function sortAssignments(events: readonly AssignEvent[], missed: boolean, now: number): AssignmentBatch {
  const revoke = events.flatMap((event) => (event.type === 'AssignmentRevoked' ? [event.data] : []));
  const revoked = new Set(revoke.map(({ taskId, attempt }) => `${taskId}:${attempt}`));
  const run: AssignEventData<'TaskAssigned'>[] = [];
  const stale: AssignEventData<'TaskAssigned'>[] = [];
  for (const event of events) {
    if (event.type !== 'TaskAssigned') continue;
    const assignment = event.data;
    if (revoked.has(`${assignment.taskId}:${assignment.attempt}`)) continue;
    if (missed && now - assignment.assignedAt >= assignment.leaseMs) stale.push(assignment);
    else run.push(assignment);
  }
  return { run, stale, revoke };
}
