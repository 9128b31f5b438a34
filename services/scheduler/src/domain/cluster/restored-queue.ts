import { restOf } from '@gantry/contracts/tasks/packed-spec';
import type { TaskEntry } from './task-entry.js';

/**
 * Collects waiting tasks and hands them out in the order of the queue: each one then goes to the end of its group, whatever the mix of
 * priorities. Within a priority a snapshot mostly has them in their order already, so that nothing has to be sorted.
 */
export class RestoredQueue {
  private readonly byPriority = new Map<number, TaskEntry[]>();

  add(entry: TaskEntry): void {
    const { priority } = restOf(entry.spec);
    const known = this.byPriority.get(priority);
    if (known === undefined) this.byPriority.set(priority, [entry]);
    else known.push(entry);
  }

  /** Highest priority first; leaves nothing. */
  *take(): Generator<TaskEntry> {
    for (const [priority, entries] of [...this.byPriority].sort(([a], [b]) => b - a)) {
      if (!isOrdered(entries)) entries.sort((a, b) => a.order - b.order);
      yield* entries;
      this.byPriority.delete(priority);
    }
  }
}

function isOrdered(entries: readonly TaskEntry[]): boolean {
  for (let index = 1; index < entries.length; index += 1)
    if (entries[index - 1]!.order > entries[index]!.order) return false;
  return true;
}
