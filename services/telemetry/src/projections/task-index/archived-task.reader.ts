import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import { streams } from '@gantry/contracts/messaging/streams';
import type { TimelineEntry } from '@gantry/contracts/tasks/task-requests';
import type { getArchivedTask } from '@gantry/contracts/telemetry/telemetry-requests';
import { assertNever } from '@gantry/kernel/assert-never';
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
    return { task, entries: commits.flatMap(entriesOf) };
  }
}

function entriesOf({ commit, streamSequence }: StoredCommit): TimelineEntry[] {
  return commit.events.map((event) => ({
    streamSequence,
    version: commit.version,
    occurredAt: commit.occurredAt,
    actor: actorText(commit.actor),
    type: event.type,
    data: event.data,
  }));
}

/** As the tasks service writes it in the history of a live task: "user Ada", "worker w1". */
function actorText(actor: StoredCommit['commit']['actor']): string {
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
