import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { Clock } from '@gantry/kernel/clock';
import type { ArtifactStore } from './artifact-store.port.js';

const LOOK_BACK_MS = 24 * 3_600_000;
const MOST = 1_000;

/**
 * Files of tasks whose deletion was stored but whose purge was cut off by a crash. Only deletions of the last day are looked
 * at: an older one was looked at by the start after it.
 */
export class PurgeLeftoversHandler {
  private readonly deleted = new Set<string>();
  private done = false;

  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly clock: Clock,
  ) {}

  /** Sees every commit while the stream is replayed. */
  observe({ commit }: StoredCommit<TaskEvent>): void {
    if (this.done || !commit.events.some(({ type }) => type === 'TaskDeleted')) return;
    if (commit.occurredAt < this.clock.now() - LOOK_BACK_MS) return;
    this.deleted.add(commit.aggregateId);
    if (this.deleted.size <= MOST) return;
    const oldest = this.deleted.values().next().value;
    if (oldest !== undefined) this.deleted.delete(oldest);
  }

  async purge(): Promise<void> {
    this.done = true;
    for (const taskId of this.deleted)
      if (await this.artifacts.holdsTask(taskId)) await this.artifacts.purgeTask(taskId);
    this.deleted.clear();
  }
}
