import { setTimeout as pause } from 'node:timers/promises';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { CommitArchiveReader } from '../commit-archive/commit-archive.reader.js';

/** All commits of one subject, straight from the stream. */
interface TaskHistory {
  load(subject: string): Promise<StoredCommit[]>;
}

/** With replicas, what one lacks is in the hands of another, which archives it with its next batch: that takes 2 s under load. */
const PAUSES_MS = [0, 400, 1_200, 2_000];
/** What another replica has in hand lies near in the stream; further back, each task would cost a read of its own. */
const NEAR = 100_000;
const LOADS_AT_ONCE = 8;

/** Finds the commits of tasks of which this replica was given only some. */
export class MissingCommits {
  constructor(
    private readonly archive: CommitArchiveReader,
    private readonly history: TaskHistory,
  ) {}

  /**
   * Calls `add` with more and more of each task's commits until it answers true, which means that nothing is missing. At the
   * end it has got all that any store has; the tasks that still lack something are the answer.
   */
  async fill(
    taskIds: ReadonlySet<string>,
    nearSequence: number,
    add: (taskId: string, commits: readonly StoredCommit[]) => boolean,
  ): Promise<Set<string>> {
    const open = new Set(taskIds);
    for (const pauseMs of PAUSES_MS) {
      if (open.size === 0) return open;
      await pause(pauseMs);
      const near = await this.archive.commitsOfMany(streams.tasks.name, [...open], nearSequence - NEAR);
      for (const [taskId, commits] of near) if (add(taskId, commits)) open.delete(taskId);
    }
    const waiting = [...open];
    const lane = async (): Promise<void> => {
      for (let taskId = waiting.pop(); taskId !== undefined; taskId = waiting.pop()) {
        const archived = await this.archive.commitsOf(streams.tasks.name, taskId);
        if (add(taskId, archived) || add(taskId, [...archived, ...(await this.history.load(subjects.task(taskId)))])) {
          open.delete(taskId);
        }
      }
    };
    await Promise.all(Array.from({ length: LOADS_AT_ONCE }, lane));
    return open;
  }
}
