import type { Summary } from '../modules/system/summary.js';
import { CoalescingQueue } from './coalescing-queue.js';
import { Throttle } from './throttle.js';

const PAUSE_MS = 1_000;
/** The index is a moment behind the event that made us look. */
const SETTLE_MS = 2_000;

interface Group {
  queues: Set<CoalescingQueue<Summary>>;
  throttle: Throttle;
  settle: NodeJS.Timeout | undefined;
  lastText: string | undefined;
}

/** Numbers per circle of visibility (all tasks, or one owner's), worked out once for everybody in the circle. */
export class SummaryFeed {
  private readonly groups = new Map<string | null, Group>();

  get subscribers(): number {
    let count = 0;
    for (const { queues } of this.groups.values()) count += queues.size;
    return count;
  }

  /** A task of this owner changed, or (undefined) something that everybody sees. */
  touch(ownerId?: string): void {
    if (ownerId !== undefined) {
      for (const key of [null, ownerId]) this.groups.get(key)?.throttle.request();
      for (const key of [null, ownerId]) this.settle(this.groups.get(key));
      return;
    }
    for (const group of this.groups.values()) group.throttle.request();
  }

  /** At once, then whenever a number changed. `read` is used for everybody who has the same `visibleTo`. */
  async *summaries(
    visibleTo: string | null,
    read: () => Promise<Summary>,
    signal: AbortSignal,
  ): AsyncGenerator<Summary> {
    const queue = new CoalescingQueue<Summary>();
    const group = this.join(visibleTo, read);
    group.queues.add(queue);
    try {
      const first = await read();
      this.publish(group, first, queue);
      yield first;
      while (!signal.aborted) yield* await queue.drain(signal);
    } finally {
      group.queues.delete(queue);
      if (group.queues.size === 0 && this.groups.get(visibleTo) === group) {
        group.throttle.stop();
        clearTimeout(group.settle);
        this.groups.delete(visibleTo);
      }
    }
  }

  private join(visibleTo: string | null, read: () => Promise<Summary>): Group {
    const known = this.groups.get(visibleTo);
    if (known !== undefined) return known;
    const group: Group = {
      queues: new Set(),
      throttle: new Throttle(() => this.update(group, read), PAUSE_MS),
      settle: undefined,
      lastText: undefined,
    };
    this.groups.set(visibleTo, group);
    return group;
  }

  private settle(group: Group | undefined): void {
    if (group === undefined || group.settle !== undefined) return;
    group.settle = setTimeout(() => {
      group.settle = undefined;
      group.throttle.request();
    }, SETTLE_MS).unref();
  }

  private async update(group: Group, read: () => Promise<Summary>): Promise<void> {
    let summary: Summary;
    try {
      summary = await read();
    } catch {
      // Both sources are down: the last numbers stay until one is back and something changes.
      return;
    }
    this.publish(group, summary);
  }

  private publish(group: Group, summary: Summary, except?: CoalescingQueue<Summary>): void {
    const text = JSON.stringify(summary);
    if (text === group.lastText) return;
    group.lastText = text;
    for (const queue of group.queues) if (queue !== except) queue.push('summary', summary);
  }
}
