import { isTerminal } from '@gantry/contracts/tasks/task-status';
import { GenerationalMap } from '@gantry/kernel/generational-map';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

/**
 * Views of tasks that will probably change soon, at least the `capacity` used last. Ended tasks are not kept: little comes
 * after the end, and the index has them.
 */
export class ViewCache {
  private views: GenerationalMap<string, TaskView>;

  constructor(private readonly capacity: number) {
    this.views = new GenerationalMap(capacity);
  }

  get(id: string): TaskView | undefined {
    return this.views.get(id);
  }

  put(view: TaskView): void {
    if (isTerminal(view.status)) this.views.delete(view.id);
    else this.views.set(view.id, view);
  }

  clear(): void {
    this.views = new GenerationalMap(this.capacity);
  }
}
