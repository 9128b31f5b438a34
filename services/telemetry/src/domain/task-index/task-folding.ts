import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';

export interface Folded {
  view: TaskView | undefined;
  /** Version that was needed next but is not among the commits; undefined = nothing is missing. */
  missingVersion: number | undefined;
}

/**
 * Folds the commits of one task onto what is known, in version order, up to the first gap. Commits that are already in the
 * view, and repeated ones, change nothing.
 */
export function foldContiguous(known: TaskView | undefined, commits: readonly StoredCommit[]): Folded {
  let view = known;
  let version = known?.version ?? 0;
  for (const stored of byVersion(commits)) {
    if (stored.commit.version <= version) continue;
    if (stored.commit.version !== version + 1) return { view, missingVersion: version + 1 };
    view = foldTaskCommit(view, stored);
    version = stored.commit.version;
  }
  return { view, missingVersion: undefined };
}

/** For a history with a hole that nothing can fill: the rest still tells more than nothing. */
export function foldAcrossGaps(known: TaskView | undefined, commits: readonly StoredCommit[]): TaskView | undefined {
  return byVersion(commits).reduce<TaskView | undefined>((view, stored) => foldTaskCommit(view, stored), known);
}

function byVersion(commits: readonly StoredCommit[]): StoredCommit[] {
  return [...commits].sort((a, b) => a.commit.version - b.commit.version);
}
