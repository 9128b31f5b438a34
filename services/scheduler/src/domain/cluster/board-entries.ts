import { restOf } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import { TransientMap } from '@gantry/kernel/transient-map';
import type { QueuedTask } from '../placement/queued-task.js';
import type { WaitingTasks } from '../placement/waiting-tasks.js';
import { EntryReader, rowOf, storedEntryOf, type RestoredEntry } from './board-snapshot.js';
import { ColdBoard } from './cold-board.js';
import type { TaskEntry } from './task-entry.js';

/**
 * All entries by task. Those that only wait since a start stay in the pages of the snapshot until their turn comes or somebody wants
 * to know of them; nobody outside can tell.
 */
export class BoardEntries {
  private readonly entries = new TransientMap<string, TaskEntry>();
  private readonly reader = new EntryReader();
  private readonly cold = new ColdBoard(this.reader);

  constructor(private readonly waiting: WaitingTasks) {}

  get size(): number {
    return this.entries.size + this.cold.size;
  }

  get(taskId: string): TaskEntry | undefined {
    return this.entries.get(taskId) ?? this.thaw(taskId);
  }

  set(taskId: string, entry: TaskEntry): void {
    this.entries.set(taskId, entry);
  }

  delete(taskId: string): void {
    this.entries.delete(taskId);
  }

  /** When it was queued, without making an entry of what is still in its page. */
  queuedAt(taskId: string): number | undefined {
    const cold = this.cold.find(taskId);
    return cold === undefined ? this.entries.get(taskId)?.queuedAt : this.cold.queuedAt(cold);
  }

  /** All that something has happened to; others have no assignment. */
  touched(): Iterable<TaskEntry> {
    return this.entries.values();
  }

  /** All of them, also those that are still in their pages; some may leave while they are looked at. */
  *submitted(): Generator<Pick<TaskEntry, 'taskId' | 'order'>> {
    for (const { page, inPage: row } of this.cold.captured())
      yield { taskId: page.key(row), order: rowOf.order(page, row) };
    yield* [...this.entries.values()];
  }

  /** Takes in the page; answers what does not only wait, which is not here yet. */
  *restore(page: SnapshotPage): Generator<RestoredEntry> {
    const isCold = this.cold.add(page);
    for (let row = 0; row < page.size; row += 1) if (!isCold(row)) yield this.reader.read(page, row);
  }

  /** Once, when all pages are in: queues what only waits. */
  queueCold(): void {
    const source = {
      has: (row: number) => this.cold.has(row),
      take: (row: number) => this.warm(row),
      peek: (row: number) => queuedTaskOf(this.cold.entry(row)),
    };
    for (const { shape, run } of this.cold.runs(source)) this.waiting.addCold(shape, run);
  }

  /** What is here now, each as it is when it is asked for, if it still is. */
  snapshot(isNoted: (taskId: string) => boolean): Iterable<SnapshotEntry> {
    const captured = [...this.entries.values()];
    const capturedCold = this.cold.captured();
    const { entries, cold } = this;
    const stored = (entry: TaskEntry | undefined): SnapshotEntry | undefined =>
      entry && storedEntryOf(entry, isNoted(entry.taskId));
    return (function* () {
      for (const row of capturedCold) {
        const one = cold.stored(row) ?? stored(entries.get(row.page.key(row.inPage)));
        if (one !== undefined) yield one;
      }
      for (const entry of captured) {
        const one = entries.get(entry.taskId) === entry ? stored(entry) : undefined;
        if (one !== undefined) yield one;
      }
    })();
  }

  /** Somebody wants to know of it before its turn has come. */
  private thaw(taskId: string): TaskEntry | undefined {
    const cold = this.cold.find(taskId);
    if (cold === undefined) return undefined;
    this.waiting.thaw(this.warm(cold));
    return this.entries.get(taskId);
  }

  /** Its place in the queue stays. */
  private warm(cold: number): QueuedTask {
    const entry = this.cold.entry(cold);
    this.cold.take(cold);
    entry.waiting = queuedTaskOf(entry);
    this.entries.set(entry.taskId, entry);
    return entry.waiting;
  }
}

export function queuedTaskOf({ taskId, shape, order, avoidWorkerId, spec }: TaskEntry): QueuedTask {
  const { priority, image } = restOf(spec);
  return { taskId, shape, priority, order, image, avoidWorkerId };
}
