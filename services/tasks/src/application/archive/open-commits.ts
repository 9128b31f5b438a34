import { TransientMap } from '@gantry/kernel/transient-map';
export interface SeenCommit {
  readonly sequence: number;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Commits of tasks that have not ended yet where the scan is; the tasks that were seen longest ago are forgotten first. */
export class OpenCommits {
  private readonly byTask = new TransientMap<string, SeenCommit[]>();
  private held = 0;

  constructor(private readonly limitBytes: number) {}

  add(taskId: string, commits: readonly SeenCommit[]): void {
    this.byTask.set(taskId, [...commits]);
    this.held += sizeOf(commits);
    for (const [oldest, forgotten] of this.byTask) {
      if (this.held <= this.limitBytes) return;
      this.byTask.delete(oldest);
      this.held -= sizeOf(forgotten);
    }
  }

  take(taskId: string): SeenCommit[] {
    const commits = this.byTask.get(taskId);
    if (commits === undefined) return [];
    this.byTask.delete(taskId);
    this.held -= sizeOf(commits);
    return commits;
  }

  clear(): void {
    this.byTask.clear();
    this.held = 0;
  }
}

function sizeOf(commits: readonly SeenCommit[]): number {
  return commits.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
