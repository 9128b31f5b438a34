import { assertNever } from '@gantry/kernel/assert-never';
import type { Actor } from '../messaging/actor.js';
import type { DomainEvent, StoredCommit } from '../messaging/commit.js';
import type { TimelineEntry } from './task-requests.js';

const scheduler: Actor = { kind: 'service', id: 'scheduler' };

/** The history of a task for people: one entry per event, the same wherever its commits come from. */
export function timelineOf(commits: readonly StoredCommit[]): TimelineEntry[] {
  return commits.flatMap(({ commit, streamSequence }) =>
    commit.events.map((event) => ({
      streamSequence,
      version: commit.version,
      occurredAt: commit.occurredAt,
      actor: actorText(actorOf(event, commit.actor)),
      type: event.type,
      data: event.data,
    })),
  );
}

/** Nobody else assigns, also where an assignment was recorded together with a worker's first report about it. */
function actorOf({ type }: DomainEvent, ofCommit: Actor): Actor {
  return type === 'TaskAssigned' ? scheduler : ofCommit;
}

/** "user Ada", "worker w1", "service scheduler". */
function actorText(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return `user ${actor.name}`;
    case 'worker':
    case 'service':
      return `${actor.kind} ${actor.id}`;
    case 'anonymous':
      return 'anonymous';
    default:
      return assertNever(actor, 'actor');
  }
}
