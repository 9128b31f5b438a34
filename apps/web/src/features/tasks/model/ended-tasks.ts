import type { TaskStatus } from '@/gql/graphql';

export interface EndedTask {
  readonly id: string;
  readonly name: string;
  readonly status: TaskStatus;
}

/** Ended since it was last quiet: one task, or how many of each status. */
export type EndedNews =
  | { readonly kind: 'one'; readonly task: EndedTask }
  | { readonly kind: 'many'; readonly total: number; readonly counts: readonly (readonly [TaskStatus, number])[] };

const GATHER_MS = 1_000;
/** While something ended this recently the same message goes on counting. */
const QUIET_MS = 8_000;

/** Tells of a task that ended by its name, and of many that end together in one message instead of one each. */
export class EndedTasks {
  private readonly told = new Set<string>();
  private group: EndedTask[] = [];
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: (news: EndedNews) => void) {}

  add(task: EndedTask): void {
    if (this.told.has(task.id)) return;
    this.told.add(task.id);
    this.group.push(task);
    this.gathering ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  dispose(): void {
    clearTimeout(this.gathering);
    clearTimeout(this.quiet);
  }

  private flush(): void {
    this.gathering = undefined;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.group = [];
    }, QUIET_MS);
    const [first] = this.group;
    if (first !== undefined && this.group.length === 1) return this.tell({ kind: 'one', task: first });
    const counts = new Map<TaskStatus, number>();
    for (const { status } of this.group) counts.set(status, (counts.get(status) ?? 0) + 1);
    this.tell({ kind: 'many', total: this.group.length, counts: [...counts] });
  }
}
