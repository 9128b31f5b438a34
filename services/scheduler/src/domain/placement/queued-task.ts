import type { Shape } from './shape.js';

/** A task in the queue. Runs in order of priority (higher first), then `order` (position of its submission in history). */
export interface QueuedTask {
  readonly taskId: string;
  readonly shape: Shape;
  readonly priority: number;
  readonly order: number;
  readonly image: string;
  readonly avoidWorkerId: string | undefined;
}

export function compareTasks(a: QueuedTask, b: QueuedTask): number {
  return b.priority - a.priority || a.order - b.order || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}
