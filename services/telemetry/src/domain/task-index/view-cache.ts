import { isTerminal } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

/**
 * Views of tasks that will probably change soon, least recently used first out. Ended tasks are not kept: little
 * comes after the end, and the index has them.
 */
export class ViewCache {
  private readonly views = new Map<string, TaskView>();

  constructor(private readonly capacity: number) {}

  get(id: string): TaskView | undefined {
    return this.views.get(id);
  }

  put(view: TaskView): void {
    this.views.delete(view.id);
    if (isTerminal(view.status)) return;
    this.views.set(view.id, view);
    if (this.views.size <= this.capacity) return;
    const oldest = this.views.keys().next().value;
    if (oldest !== undefined) this.views.delete(oldest);
  }

  clear(): void {
    this.views.clear();
  }

  get size(): number {
    return this.views.size;
  }
}
