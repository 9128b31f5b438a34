import { restOf } from '@gantry/contracts/tasks/packed-spec';
import type { HeldTask } from './packed-task.js';
import { RankedList } from './ranked-list.js';

type Waiting = Pick<HeldTask, 'id' | 'createdAt' | 'spec'>;

/** Where each waiting task stands in its queue: higher priority first, then the older one. */
export class QueuePositions {
  private readonly queues = new Map<string, Map<number, RankedList>>();

  add(task: Waiting): void {
    const { queue, priority } = restOf(task.spec);
    let priorities = this.queues.get(queue);
    if (priorities === undefined) this.queues.set(queue, (priorities = new Map<number, RankedList>()));
    let list = priorities.get(priority);
    if (list === undefined) priorities.set(priority, (list = new RankedList()));
    list.add(task);
  }

  remove(task: Waiting): void {
    const { queue, priority } = restOf(task.spec);
    const priorities = this.queues.get(queue);
    const list = priorities?.get(priority);
    if (priorities === undefined || list === undefined) return;
    list.remove(task);
    if (list.size > 0) return;
    priorities.delete(priority);
    if (priorities.size === 0) this.queues.delete(queue);
  }

  /** How many of them come before this task, which need not be one of them. */
  before(task: Waiting): number {
    const { queue, priority } = restOf(task.spec);
    let before = 0;
    for (const [other, list] of this.queues.get(queue) ?? []) {
      if (other > priority) before += list.size;
      else if (other === priority) before += list.before(task);
    }
    return before;
  }
}
