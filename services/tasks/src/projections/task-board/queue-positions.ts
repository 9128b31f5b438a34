import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { RankedList } from './ranked-list.js';

type Waiting = Pick<TaskView, 'id' | 'createdAt'> & { readonly spec: Pick<TaskView['spec'], 'queue' | 'priority'> };

/** Where each waiting task stands in its queue: higher priority first, then the older one. */
export class QueuePositions {
  private readonly queues = new Map<string, Map<number, RankedList>>();

  add(task: Waiting): void {
    const { queue, priority } = task.spec;
    let priorities = this.queues.get(queue);
    if (priorities === undefined) this.queues.set(queue, (priorities = new Map<number, RankedList>()));
    let list = priorities.get(priority);
    if (list === undefined) priorities.set(priority, (list = new RankedList()));
    list.add({ createdAt: task.createdAt, id: task.id });
  }

  remove(task: Waiting): void {
    const { queue, priority } = task.spec;
    const priorities = this.queues.get(queue);
    const list = priorities?.get(priority);
    if (priorities === undefined || list === undefined) return;
    list.remove({ createdAt: task.createdAt, id: task.id });
    if (list.size > 0) return;
    priorities.delete(priority);
    if (priorities.size === 0) this.queues.delete(queue);
  }

  /** 1 = next; null if it does not wait. */
  positionOf(task: Waiting): number | null {
    const priorities = this.queues.get(task.spec.queue);
    const rank = priorities?.get(task.spec.priority)?.rank(task);
    if (priorities === undefined || rank === undefined) return null;
    let before = rank;
    for (const [priority, list] of priorities) if (priority > task.spec.priority) before += list.size;
    return before + 1;
  }
}
