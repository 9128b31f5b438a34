import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import {
  type AppendResult,
  ConcurrencyError,
  type EventStore,
  type FollowOptions,
} from '@gantry/event-sourcing/event-store.port';
import type { ArchivedTasks } from '../../application/archive/task-archive.port.js';

/**
 * TASKS and what left it, as if it were one stream: histories are whole, and the fence of an append covers archived commits too. So
 * the id of an archived task is as taken as any other, and a commit that comes after the archiving (a late report, a deletion)
 * goes on where the archived ones end.
 */
export class ArchivedTaskStore implements EventStore<TaskEvent> {
  constructor(
    private readonly store: EventStore<TaskEvent>,
    private readonly archive: ArchivedTasks,
    private readonly isDiscarded: (message: Pick<StoredCommit, 'subject' | 'streamSequence'>) => boolean = () => false,
  ) {}

  async load(subject: string): Promise<StoredCommit<TaskEvent>[]> {
    const present = await this.store.load(subject);
    if (present[0]?.commit.version === 1) return present;
    const archived = (await this.archivedOf(subject)).map((stored) =>
      this.isDiscarded(stored) ? { ...stored, commit: { ...stored.commit, events: [] } } : stored,
    );
    const newest = archived.at(-1)?.commit.version ?? 0;
    return [...archived, ...present.filter(({ commit }) => commit.version > newest)];
  }

  async newestSequence(subject: string): Promise<number> {
    const present = await this.store.newestSequence(subject);
    return present > 0 ? present : await this.newestArchived(subject);
  }

  async append(subject: string, commit: Commit<TaskEvent>, expectedSequence: number): Promise<AppendResult> {
    if (expectedSequence === 0 && (await this.newestArchived(subject)) > 0) throw new ConcurrencyError(subject, 0);
    try {
      return await this.store.append(subject, commit, expectedSequence);
    } catch (error) {
      if (!(error instanceof ConcurrencyError) || expectedSequence === 0) throw error;
      // The broker knows no message of this task any more. That is as it should be if the newest one was archived.
      if ((await this.store.newestSequence(subject)) > 0) throw error;
      if ((await this.newestArchived(subject)) !== expectedSequence) throw error;
      return await this.store.append(subject, commit, 0);
    }
  }

  follow(options: FollowOptions<TaskEvent>): Promise<void> {
    return this.store.follow(options);
  }

  private async newestArchived(subject: string): Promise<number> {
    return (await this.archivedOf(subject)).at(-1)?.streamSequence ?? 0;
  }

  private archivedOf(subject: string): Promise<StoredCommit<TaskEvent>[]> {
    return this.archive.commitsOf(subject.slice(subject.lastIndexOf('.') + 1));
  }
}
