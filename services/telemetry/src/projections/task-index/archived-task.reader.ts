import type { OutputOf } from '@gantry/contracts/messaging/request';
import { streams } from '@gantry/contracts/messaging/streams';
import { timelineOf } from '@gantry/contracts/tasks/task-timeline';
import type { getArchivedTask } from '@gantry/contracts/telemetry/telemetry-requests';
import { GantryError } from '@gantry/kernel/gantry-error';
import { foldAcrossGaps } from '../../domain/task-index/task-folding.js';
import type { CommitArchiveReader } from '../commit-archive/commit-archive.reader.js';

/** One task from the archive: folded by the same code as everywhere, with its whole history. */
export class ArchivedTaskReader {
  constructor(private readonly archive: CommitArchiveReader) {}

  /** A task of somebody else is answered like one that never was. */
  async read(taskId: string, visibleTo: string | null): Promise<OutputOf<typeof getArchivedTask>> {
    const commits = await this.archive.commitsOf(streams.tasks.name, taskId);
    const task = foldAcrossGaps(undefined, commits);
    if (task === undefined || task.deleted || (visibleTo !== null && task.ownerId !== visibleTo)) {
      throw new GantryError(
        'TASK.NOT_FOUND',
        'not_found',
        'There is no such task. Check the id, or look for it in the list.',
      );
    }
    return { task, entries: timelineOf(commits) };
  }
}
