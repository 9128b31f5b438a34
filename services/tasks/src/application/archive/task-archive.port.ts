import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import type { ArchivedTask } from '@gantry/contracts/tasks/archive-segment';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';

/** Reads what has left TASKS, or will soon. */
export interface ArchivedTasks {
  /**
   * Archived commits of a task, oldest first. What was archived in the last seconds may be missing; it is still in TASKS then,
   * because nothing is removed from there before every process has had time to learn of it.
   */
  commitsOf(taskId: string): Promise<StoredCommit<TaskEvent>[]>;
}

/** The writer's side: one process at a time. */
export interface TaskArchive extends ArchivedTasks {
  /** Resolves once everything that is archived now is known here. */
  reach(): Promise<void>;
  /** Whether the task may be archived, at once and from memory; `commitsOf` knows for certain. */
  mayHold(taskId: string): boolean;
  /** Stores a segment after everything that is known here; false if another process stored one meanwhile. */
  append(tasks: readonly ArchivedTask[], body: Uint8Array): Promise<boolean>;
}

export interface TaskStreamState {
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Tasks that have at least one commit there. */
  readonly tasks: number;
}

/** A commit as it lies in TASKS. */
export interface StreamedCommit {
  readonly sequence: number;
  /** When the broker stored it, epoch milliseconds. */
  readonly storedAt: number;
  readonly bytes: Uint8Array;
}

/** TASKS, as far as archiving has to do with it. */
export interface TaskStream {
  state(): Promise<TaskStreamState>;
  /** Hands over what lies from one sequence to another, in order, until `take` answers false. */
  read(from: number, to: number, take: (commit: StreamedCommit) => Promise<boolean>): Promise<void>;
  /** Every commit of one task. */
  historyOf(taskId: string): Promise<Omit<StreamedCommit, 'storedAt'>[]>;
  /** Takes out what of these (ascending) stands at the front of the stream without a gap; answers what is left of them. Cheap. */
  removeFront(sequences: readonly number[]): Promise<number[]>;
  /** Takes messages out one after the other; each is gone for good before the next is touched. Dear. */
  removeEach(sequences: readonly number[]): Promise<void>;
}
