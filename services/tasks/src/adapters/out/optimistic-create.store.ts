import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import { subjects } from '@gantry/contracts/messaging/streams';
import type { AppendResult, EventStore, FollowOptions } from '@gantry/event-sourcing/event-store.port';
import { TransientSet } from '@gantry/kernel/transient-set';
import type { FreshIds } from '../../application/submit-task.handler.js';

/**
 * Saves the read before the first append of a new task: the next load of an id that is expected to be fresh answers "no
 * commits" by itself. If the guess was wrong, the append's fence refuses it and the second load is a real one.
 */
export class OptimisticCreateStore<Event extends DomainEvent> implements EventStore<Event>, FreshIds {
  private readonly fresh = new TransientSet<string>();

  constructor(private readonly store: EventStore<Event>) {}

  expectFresh(taskId: string): void {
    this.fresh.add(subjects.task(taskId));
  }

  settle(taskId: string): void {
    this.fresh.delete(subjects.task(taskId));
  }

  load(subject: string): Promise<StoredCommit<Event>[]> {
    return this.fresh.delete(subject) ? Promise.resolve([]) : this.store.load(subject);
  }

  newestSequence(subject: string): Promise<number> {
    return this.store.newestSequence(subject);
  }

  append(subject: string, commit: Commit<Event>, expectedSequence: number): Promise<AppendResult> {
    // Not loaded at all when the aggregate was cached.
    this.fresh.delete(subject);
    return this.store.append(subject, commit, expectedSequence);
  }

  follow(options: FollowOptions<Event>): Promise<void> {
    return this.store.follow(options);
  }
}
