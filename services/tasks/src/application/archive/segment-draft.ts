import type { ArchivedTask } from '@gantry/contracts/tasks/archive-segment';
import type { SeenCommit } from './open-commits.js';

/** A reader of one task decompresses a whole segment: 500 tasks are some milliseconds. */
const FULL_TASKS = 500;
const FULL_BYTES = 2 * 1024 * 1024;

/** Tasks for the next segment, in the order of their ends, and what turned out to be archived already. */
export class SegmentDraft {
  private readonly byTask = new Map<string, SeenCommit[]>();
  private bytes = 0;
  private begun: number | undefined;
  private leftBehind = new Map<string, number[]>();
  private left = 0;

  get tasks(): number {
    return this.byTask.size;
  }

  get isFull(): boolean {
    return this.byTask.size >= FULL_TASKS || this.bytes >= FULL_BYTES || this.left >= FULL_TASKS * 10;
  }

  /** When its first task came, on the clock of the caller; undefined while it is empty. */
  get begunAt(): number | undefined {
    return this.begun;
  }

  /** By task, the sequences of commits that an earlier segment holds: a crash came before their removal. */
  takeLeftBehind(): ReadonlyMap<string, readonly number[]> {
    const taken = this.leftBehind;
    this.leftBehind = new Map();
    this.left = 0;
    return taken;
  }

  leave(taskId: string, sequence: number): void {
    const known = this.leftBehind.get(taskId);
    if (known === undefined) this.leftBehind.set(taskId, [sequence]);
    else known.push(sequence);
    this.left += 1;
  }

  has(taskId: string): boolean {
    return this.byTask.has(taskId);
  }

  add(taskId: string, commits: readonly SeenCommit[], now: number): void {
    this.begun ??= now;
    const held = this.byTask.get(taskId) ?? [];
    const added = commits.filter(({ sequence }) => !held.some((known) => known.sequence === sequence));
    this.byTask.set(taskId, [...held, ...added]);
    this.bytes += added.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  list(): ArchivedTask[] {
    return [...this.byTask].map(([taskId, commits]) => ({
      taskId,
      commits: commits.map(({ sequence, bytes }) => ({ sequence, bytes })),
    }));
  }
}
