import type { Actor, UserActor } from '@gantry/contracts/messaging/actor';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { taskErrors } from '../domain/task/task.errors.js';

/** Commands of people need a person: the owner or auditor of what happens next. */
export function requireUser(actor: Actor): UserActor {
  if (actor.kind !== 'user') throw taskErrors.actorNotAllowed();
  return actor;
}

/**
 * The edge says whose tasks may be seen; it is checked against the actor a second time here, so that a mistake at the edge
 * shows nobody's tasks to somebody else.
 */
export function requireVisibility(actor: Actor, visibleTo: string | null): void {
  if (actor.kind === 'worker' || actor.kind === 'anonymous') throw taskErrors.actorNotAllowed();
  if (actor.kind === 'user' && actor.role === 'user' && visibleTo !== actor.id) throw taskErrors.visibilityNotAllowed();
}

/** The task if it exists and may be seen; everything else is "not found" alike. */
export function requireVisible(view: TaskView | undefined, visibleTo: string | null): TaskView {
  if (view === undefined || view.deleted || (visibleTo !== null && view.ownerId !== visibleTo))
    throw taskErrors.notFound();
  return view;
}
