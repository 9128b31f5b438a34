export interface DirtyRange {
  /** Epoch milliseconds, whole buckets, [from, to). */
  from: number;
  to: number;
  entities: readonly string[];
}

/** Remembers which time buckets of which entities have new samples, and hands them out as few wide ranges. */
export class DirtyBuckets {
  private readonly buckets = new Map<number, Set<string>>();

  constructor(private readonly width: number) {}

  mark(entity: string, t: number): void {
    const start = Math.floor(t / this.width) * this.width;
    const entities = this.buckets.get(start);
    if (entities === undefined) this.buckets.set(start, new Set([entity]));
    else entities.add(entity);
  }

  markRange(range: DirtyRange): void {
    for (let start = Math.floor(range.from / this.width) * this.width; start < range.to; start += this.width) {
      for (const entity of range.entities) this.mark(entity, start);
    }
  }

  /** Everything that is dirty, neighbouring buckets joined; afterwards nothing is. */
  take(): DirtyRange[] {
    const ranges: { from: number; to: number; entities: Set<string> }[] = [];
    for (const start of [...this.buckets.keys()].sort((a, b) => a - b)) {
      const entities = this.buckets.get(start) ?? new Set();
      const last = ranges.at(-1);
      if (last !== undefined && last.to === start) {
        last.to = start + this.width;
        for (const entity of entities) last.entities.add(entity);
      } else {
        ranges.push({ from: start, to: start + this.width, entities: new Set(entities) });
      }
    }
    this.buckets.clear();
    return ranges.map(({ from, to, entities }) => ({ from, to, entities: [...entities] }));
  }
}
