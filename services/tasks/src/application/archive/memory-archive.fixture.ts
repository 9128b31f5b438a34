import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import { subjects } from '@gantry/contracts/messaging/streams';
import { type ArchivedTask, decodeSegment } from '@gantry/contracts/tasks/archive-segment';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { StreamedCommit, TaskArchive, TaskStream, TaskStreamState } from './task-archive.port.js';

export class Crash extends Error {}

/** Runs before and after each effect; a test throws `Crash` from it to end the process there. */
export type AtEachStep = () => void;

/** TASKS in memory, with its gaps. */
export class MemoryTaskStream implements TaskStream {
  readonly commits: (StreamedCommit & { readonly commit: Commit<TaskEvent> })[] = [];
  private sequence = 0;

  constructor(private readonly step: AtEachStep = () => undefined) {}

  append(commit: Commit<TaskEvent>, storedAt = 0): number {
    this.sequence += 1;
    this.commits.push({ sequence: this.sequence, storedAt, bytes: Buffer.from(JSON.stringify(commit)), commit });
    return this.sequence;
  }

  storedOf(taskId: string): StoredCommit<TaskEvent>[] {
    const own = this.commits.filter(({ commit }) => commit.aggregateId === taskId);
    return own.map(({ commit, sequence }) => ({ commit, streamSequence: sequence, subject: subjects.task(taskId) }));
  }

  state(): Promise<TaskStreamState> {
    return Promise.resolve({
      firstSequence: this.commits[0]?.sequence ?? this.sequence + 1,
      lastSequence: this.sequence,
      tasks: new Set(this.commits.map(({ commit }) => commit.aggregateId)).size,
    });
  }

  async read(from: number, to: number, take: (commit: StreamedCommit) => Promise<boolean>): Promise<void> {
    for (const commit of [...this.commits])
      if (commit.sequence >= from && commit.sequence <= to && !(await take(commit))) return;
  }

  historyOf(taskId: string): Promise<StreamedCommit[]> {
    return Promise.resolve(this.commits.filter(({ commit }) => commit.aggregateId === taskId));
  }

  async removeFront(sequences: readonly number[]): Promise<number[]> {
    const { firstSequence } = await this.state();
    const present = sequences.filter((sequence) => sequence >= firstSequence);
    let done = 0;
    while (present[done] !== undefined && present[done] === this.commits[0]?.sequence) {
      this.drop(present[done]!);
      done += 1;
    }
    return present.slice(done);
  }

  removeEach(sequences: readonly number[]): Promise<void> {
    for (const sequence of sequences) this.drop(sequence);
    return Promise.resolve();
  }

  private drop(sequence: number): void {
    this.step();
    const at = this.commits.findIndex((commit) => commit.sequence === sequence);
    if (at >= 0) this.commits.splice(at, 1);
    this.step();
  }
}

/** ARCHIVE in memory: survives the processes that write it. */
export class MemoryTaskArchive implements TaskArchive {
  readonly segments: ArchivedTask[][] = [];

  constructor(private readonly step: AtEachStep = () => undefined) {}

  reach(): Promise<void> {
    return Promise.resolve();
  }

  mayHold(taskId: string): boolean {
    return this.segments.some((tasks) => tasks.some((task) => task.taskId === taskId));
  }

  commitsOf(taskId: string): Promise<StoredCommit<TaskEvent>[]> {
    const tasks = this.segments.flat().filter((task) => task.taskId === taskId);
    const commits = tasks.flatMap((task) => task.commits);
    return Promise.resolve(
      commits.map(({ sequence, bytes }) => ({
        commit: JSON.parse(Buffer.from(bytes).toString()) as Commit<TaskEvent>,
        streamSequence: sequence,
        subject: subjects.task(taskId),
      })),
    );
  }

  async append(_tasks: readonly ArchivedTask[], body: Uint8Array): Promise<boolean> {
    this.step();
    this.segments.push(await decodeSegment(body));
    this.step();
    return true;
  }
}
