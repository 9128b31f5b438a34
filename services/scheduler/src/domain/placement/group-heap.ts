import { compareTasks, type TaskGroup } from './task-group.js';

/** Binary heap of non-empty groups by their first task. */
export class GroupHeap {
  private readonly items: TaskGroup[];

  constructor(groups: Iterable<TaskGroup>) {
    this.items = [...groups];
    for (let index = (this.items.length >>> 1) - 1; index >= 0; index -= 1) this.sink(index);
  }

  get top(): TaskGroup | undefined {
    return this.items[0];
  }

  pop(): void {
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return;
    this.items[0] = last;
    this.sink(0);
  }

  /** After the first task of the top group changed. */
  fixTop(): void {
    this.sink(0);
  }

  private sink(start: number): void {
    const item = this.items[start]!;
    let index = start;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.items.length) break;
      if (child + 1 < this.items.length && this.isBefore(this.items[child + 1]!, this.items[child]!)) child += 1;
      if (!this.isBefore(this.items[child]!, item)) break;
      this.items[index] = this.items[child]!;
      index = child;
    }
    this.items[index] = item;
  }

  private isBefore(a: TaskGroup, b: TaskGroup): boolean {
    return compareTasks(a.first!, b.first!) < 0;
  }
}
