import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { Clock } from '@gantry/kernel/clock';
import type { ArtifactStore } from './artifact-store.port.js';

const LOOK_BACK_MS = 24 * 3_600_000;
const MOST = 1_000;

export interface DeletedTask {
  readonly taskId: string;
  readonly at: number;
}

/**
 * Files of tasks whose deletion was stored but whose purge was cut off by a crash. Only deletions of the last day are looked
 * at: an older one was looked at by the start after it.
 */
export class PurgeLeftoversHandler {
  /** Task id -> time of its deletion. */
  private readonly deleted = new Map<string, number>();

  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly clock: Clock,
  ) {}

  /** Sees every commit that is read from the stream. */
  observe({ commit }: StoredCommit<TaskEvent>): void {
    if (commit.events.some(({ type }) => type === 'TaskDeleted'))
      this.remember({ taskId: commit.aggregateId, at: commit.occurredAt });
  }

  remember({ taskId, at }: DeletedTask): void {
    if (at < this.clock.now() - LOOK_BACK_MS) return;
    this.deleted.set(taskId, at);
    if (this.deleted.size <= MOST) return;
    const oldest = this.deleted.keys().next().value;
    if (oldest !== undefined) this.deleted.delete(oldest);
  }

  /** What the next start has to look at, if it does not read these commits again. */
  recent(): DeletedTask[] {
    const since = this.clock.now() - LOOK_BACK_MS;
    return [...this.deleted].map(([taskId, at]) => ({ taskId, at })).filter(({ at }) => at >= since);
  }

  async purge(): Promise<void> {
    for (const taskId of [...this.deleted.keys()]) {
      if (await this.artifacts.holdsTask(taskId)) await this.artifacts.purgeTask(taskId);
      this.deleted.delete(taskId);
    }
  }
}
