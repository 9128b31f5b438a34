import { TransientSet } from '@gantry/kernel/transient-set';
import type { TaskStream } from './task-archive.port.js';

interface Removal {
  readonly taskId: string;
  readonly dueAt: number;
  /** Ascending. */
  sequences: readonly number[];
}

/** With more messages than this behind an old task, their turn at the front is not waited for. */
const MOST_AT_THE_FRONT = 50_000;

export interface RemovalWaits {
  /** Until every process knows of what was archived, milliseconds. */
  readonly removeAfterMs: number;
  /** Then for the turn at the front of the stream, which some old task that still runs may keep from all others. */
  readonly frontPatienceMs: number;
}

/** So many tasks a step lose their commits one by one. */
const SINGLY_A_STEP = 100;

/**
 * What is archived and waits to be removed from TASKS, until every process has learned where to look for it. A task loses its first
 * commit first, and for good: a broker that is killed brings back single deletions of its last seconds, and with the
 * submission alone a task would look as if it waited to be run.
 */
export class Removals {
  private waiting: Removal[] = [];
  private readonly known = new TransientSet<number>();

  constructor(
    private readonly stream: TaskStream,
    private readonly waits: RemovalWaits,
    /** Milliseconds of a clock that nobody sets. */
    private readonly monotonicNow: () => number,
  ) {}

  /** Tasks that are archived and still count as tasks of the stream. */
  get tasks(): number {
    return this.waiting.length;
  }

  add(byTask: ReadonlyMap<string, readonly number[]>): void {
    const dueAt = this.monotonicNow() + this.waits.removeAfterMs;
    for (const [taskId, all] of byTask) {
      const sequences = all.filter((sequence) => !this.known.has(sequence));
      for (const sequence of sequences) this.known.add(sequence);
      if (sequences.length > 0) this.waiting.push({ taskId, dueAt, sequences });
    }
  }

  clear(): void {
    this.waiting = [];
    this.known.clear();
  }

  /** Removes what is due; answers how many messages that were. What fails is tried again the next time. */
  async run(): Promise<number> {
    const now = this.monotonicNow();
    const due = this.waiting.filter(({ dueAt }) => dueAt <= now);
    if (due.length === 0) return 0;
    const all = due.flatMap(({ sequences }) => [...sequences]).sort((a, b) => a - b);
    const left = new Set(await this.stream.removeFront(all));
    for (const removal of due) this.done(removal, (sequence) => !left.has(sequence));
    this.forgetDone();
    // The front moves: it may reach the others too.
    if (left.size < all.length) return all.length - left.size;
    const behind = due.filter(({ sequences }) => sequences.length > 0);
    const { frontPatienceMs } = this.waits;
    const late = left.size > MOST_AT_THE_FRONT ? behind : behind.filter(({ dueAt }) => dueAt + frontPatienceMs <= now);
    return await this.removeSingly(late.slice(0, SINGLY_A_STEP));
  }

  /** In the order of archiving, each task from its first commit on. */
  private async removeSingly(removals: readonly Removal[]): Promise<number> {
    let removed = 0;
    try {
      for (const removal of removals) {
        await this.stream.removeEach(removal.sequences);
        removed += removal.sequences.length;
        this.done(removal, () => true);
      }
    } finally {
      this.forgetDone();
    }
    return removed;
  }

  private done(removal: Removal, isDone: (sequence: number) => boolean): void {
    for (const sequence of removal.sequences) if (isDone(sequence)) this.known.delete(sequence);
    removal.sequences = removal.sequences.filter((sequence) => !isDone(sequence));
  }

  private forgetDone(): void {
    this.waiting = this.waiting.filter(({ sequences }) => sequences.length > 0);
  }
}
