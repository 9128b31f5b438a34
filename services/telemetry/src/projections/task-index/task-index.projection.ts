import type { ColumnValue } from '@gantry/clickhouse/tab-separated-rows';
import { commitSchema, type StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Database } from '../../application/database.port.js';
import { parseMessages } from '../../application/parse-messages.js';
import type { StreamProjection } from '../../application/stream-projection.port.js';
import { foldAcrossGaps, foldContiguous } from '../../domain/task-index/task-folding.js';
import { ViewCache } from '../../domain/task-index/view-cache.js';
import type { MissingCommits } from './missing-commits.js';
import type { TaskIndexReader } from './task-index.reader.js';

const columns = [
  'id',
  'version',
  'owner_id',
  'name',
  'status',
  'queue',
  'tags',
  'worker_id',
  'worker_ids',
  'created_at',
  'started_at',
  'finished_at',
  'deleted',
  'view',
] as const;

const CACHED_VIEWS = 20_000;

/**
 * TASKS -> table `task_index`, one row per task: the fold of its commits by the same code that the tasks service uses. The row
 * with the highest version wins in the table, so a late or repeated write changes nothing. Expects that the batch is in
 * the archive already.
 */
export class TaskIndexProjection implements StreamProjection {
  private readonly cache = new ViewCache(CACHED_VIEWS);

  constructor(
    private readonly database: Database,
    private readonly index: TaskIndexReader,
    private readonly missing: MissingCommits,
    private readonly logger: Logger,
  ) {}

  reset(): void {
    this.cache.clear();
  }

  async apply(messages: readonly StreamMessage[]): Promise<void> {
    const byTask = new Map<string, StoredCommit[]>();
    const commits = parseMessages(messages, commitSchema);
    for (const [index, { streamSequence, subject }] of messages.entries()) {
      const commit = commits[index]!;
      const stored = { commit, streamSequence, subject };
      const known = byTask.get(commit.aggregateId);
      if (known === undefined) byTask.set(commit.aggregateId, [stored]);
      else known.push(stored);
    }
    const before = await this.knownViews(byTask);
    const after = await this.foldAll(before, byTask);
    const changed = after.filter((view) => view.version > (before.get(view.id)?.version ?? 0));
    await this.database.use((clickhouse) => clickhouse.insert('task_index', columns, changed.map(indexRow)));
    // Only now: a batch that could not be stored must find the old views when it comes again.
    for (const view of changed) this.cache.put(view);
  }

  /** From memory, else from the index; a task whose first commit is in the batch needs neither. */
  private async knownViews(byTask: ReadonlyMap<string, readonly StoredCommit[]>): Promise<Map<string, TaskView>> {
    const views = new Map<string, TaskView>();
    const unknown: string[] = [];
    for (const [id, commits] of byTask) {
      const cached = this.cache.get(id);
      if (cached !== undefined) views.set(id, cached);
      else if (!commits.some(({ commit }) => commit.version === 1)) unknown.push(id);
    }
    for (const view of await this.index.viewsOf(unknown)) views.set(view.id, view);
    return views;
  }

  private async foldAll(
    known: ReadonlyMap<string, TaskView>,
    byTask: ReadonlyMap<string, readonly StoredCommit[]>,
  ): Promise<TaskView[]> {
    const after: TaskView[] = [];
    const incomplete = new Map<string, readonly StoredCommit[]>();
    const add = (id: string, found: readonly StoredCommit[]): boolean => {
      const commits = [...found, ...(byTask.get(id) ?? [])];
      const { view, missingVersion } = folding(id, () => foldContiguous(known.get(id), commits));
      if (missingVersion !== undefined) incomplete.set(id, commits);
      else if (view !== undefined) after.push(view);
      return missingVersion === undefined;
    };
    for (const id of byTask.keys()) add(id, []);
    if (incomplete.size === 0) return after;
    // Another replica had the commits in between, or a redelivery came out of order.
    const sequences = [...incomplete.values()].flat().map(({ streamSequence }) => streamSequence);
    const nearSequence = sequences.reduce((least, sequence) => Math.min(least, sequence));
    for (const taskId of await this.missing.fill(new Set(incomplete.keys()), nearSequence, add)) {
      this.logger.warn({ taskId }, 'a commit of this task is in no store; its view may lack something');
      const view = folding(taskId, () => foldAcrossGaps(known.get(taskId), incomplete.get(taskId) ?? []));
      if (view !== undefined) after.push(view);
    }
    return after;
  }
}

/** What `fold` throws says that the commits themselves are wrong: no repetition helps. */
function folding<T>(taskId: string, fold: () => T): T {
  try {
    return fold();
  } catch (cause) {
    if (cause instanceof GantryError) throw cause;
    throw new GantryError(
      'TELEMETRY.UNFOLDABLE_COMMIT',
      'invalid',
      `The commits of task ${taskId} do not follow their contract.`,
      { retryable: false, cause },
    );
  }
}

function indexRow(view: TaskView): ColumnValue[] {
  return [
    view.id,
    view.version,
    view.ownerId,
    view.spec.name,
    view.status,
    view.spec.queue,
    view.spec.tags,
    view.workerId ?? '',
    [...new Set(view.attempts.map((attempt) => attempt.workerId))],
    view.createdAt,
    view.startedAt,
    view.finishedAt,
    view.deleted ? 1 : 0,
    JSON.stringify(view),
  ];
}
