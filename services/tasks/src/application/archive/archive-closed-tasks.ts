import { type ArchivedTask, encodeSegment, MAX_SEGMENT_BYTES } from '@gantry/contracts/tasks/archive-segment';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { ArchiveMetrics } from './archive-metrics.port.js';
import type { ClosedTaskScan } from './closed-task.scan.js';
import type { Removals } from './removals.js';
import type { TaskArchive, TaskStream } from './task-archive.port.js';

export interface ArchiveLimits {
  /** An ended task stays in TASKS for so long, milliseconds ... */
  readonly keepMs: number;
  /** ... unless there are more ended ones: then the oldest leave earlier. */
  readonly keepTasks: number;
  /** A segment that does not get full is stored so long after its first task came, milliseconds: few large ones are quick to read. */
  readonly lingerMs: number;
}

export interface ArchiveClosedTasksParts {
  readonly stream: TaskStream;
  readonly archive: TaskArchive;
  readonly scan: ClosedTaskScan;
  readonly removals: Removals;
  readonly limits: ArchiveLimits;
  /** Tasks that have not ended. */
  readonly activeTasks: () => number;
  readonly clock: Clock;
  readonly metrics: ArchiveMetrics;
  readonly logger: Logger;
}

export interface ArchiveStep {
  readonly archivedTasks: number;
  readonly removedMessages: number;
  /** The step was long enough; there is more to look at. */
  readonly more: boolean;
}

/**
 * Moves ended tasks from TASKS into segments of ARCHIVE, some hundreds a step. A crash between any two steps is harmless: what no
 * acknowledged segment holds is still in TASKS, and what is in both is only removed by whoever goes on.
 */
export class ArchiveClosedTasks {
  constructor(private readonly parts: ArchiveClosedTasksParts) {}

  /** Looks at the stream from its start again. */
  rescan(): void {
    this.parts.scan.restart();
  }

  /** Leaves everything to another process. */
  stop(): void {
    this.parts.scan.restart();
    this.parts.removals.clear();
  }

  async step(): Promise<ArchiveStep> {
    const { stream, archive, scan, removals, limits, activeTasks, clock, metrics } = this.parts;
    await archive.reach();
    const state = await stream.state();
    if (state.lastSequence < scan.position) scan.restart();
    const ended = state.tasks - activeTasks() - removals.tasks;
    const now = clock.now();
    const more = await scan.goOn({
      now,
      beforeSequence: state.lastSequence,
      storedBefore: now - limits.keepMs,
      regardlessOfAge: ended - limits.keepTasks,
    });
    const { draft } = scan;
    removals.add(draft.takeLeftBehind());
    const { isFull, begunAt = now } = draft;
    let archivedTasks = 0;
    if (isFull || (draft.tasks > 0 && now - begunAt >= limits.lingerMs)) {
      archivedTasks = await this.store(draft.list());
      scan.nextDraft();
    }
    const removedMessages = await removals.run();
    metrics.removed(removedMessages);
    return { archivedTasks, removedMessages, more };
  }

  private async store(tasks: readonly ArchivedTask[]): Promise<number> {
    const { archive, removals, metrics, logger } = this.parts;
    const body = await encodeSegment(tasks);
    if (body.length > MAX_SEGMENT_BYTES) {
      if (tasks.length > 1) {
        const middle = tasks.length >> 1;
        return (await this.store(tasks.slice(0, middle))) + (await this.store(tasks.slice(middle)));
      }
      logger.warn(
        { taskId: tasks[0]!.taskId, bytes: body.length },
        'task is too large for a segment; it stays in TASKS',
      );
      return 0;
    }
    if (!(await archive.append(tasks, body))) {
      logger.warn('another process archives too; starting over behind it');
      this.rescan();
      return 0;
    }
    removals.add(new Map(tasks.map(({ taskId, commits }) => [taskId, commits.map(({ sequence }) => sequence)])));
    metrics.archived(tasks.length, body.length);
    return tasks.length;
  }
}
