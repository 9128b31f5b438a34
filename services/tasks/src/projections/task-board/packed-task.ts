import { packSpec, unpackSpec, type PackedSpec } from '@gantry/contracts/tasks/packed-spec';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

/** What many waiting tasks of one owner have in common; of other tasks all that is not kept elsewhere. */
export type ViewRest = Omit<TaskView, 'id' | 'createdAt' | 'queuedAt' | 'spec'>;

/** What `ViewRest` tells, at hand as in a view. */
export abstract class RestOfView {
  abstract readonly rest: ViewRest;

  get version(): number {
    return this.rest.version;
  }

  get ownerId(): string {
    return this.rest.ownerId;
  }

  get status(): TaskView['status'] {
    return this.rest.status;
  }

  get workerId(): string | null {
    return this.rest.workerId;
  }

  get startedAt(): number | null {
    return this.rest.startedAt;
  }

  get finishedAt(): number | null {
    return this.rest.finishedAt;
  }

  get deleted(): boolean {
    return this.rest.deleted;
  }
}

/**
 * A view as a snapshot brings it: all that lists are filtered and sorted by is at hand, and the view is made when it is asked for.
 * Most tasks of a long queue are looked at once, when they are placed.
 */
export class PackedTask extends RestOfView {
  constructor(
    readonly id: string,
    readonly createdAt: number,
    readonly queuedAt: number,
    /** One object may serve many tasks. */
    readonly rest: ViewRest,
    readonly spec: PackedSpec,
  ) {
    super();
  }
}

/** All of its fields that `PackedTask` has too mean the same. */
export type HeldTask = TaskView | PackedTask;

export function packTask(task: HeldTask): PackedTask {
  if (task instanceof PackedTask) return task;
  const { id, createdAt, queuedAt, spec, ...rest } = task;
  return new PackedTask(id, createdAt, queuedAt, rest, packSpec(spec));
}

export function unpackTask(task: HeldTask): TaskView {
  if (!(task instanceof PackedTask)) return task;
  const { id, createdAt, queuedAt, rest, spec } = task;
  return { ...rest, id, createdAt, queuedAt, spec: unpackSpec(spec) };
}
