import { TransientSet } from '@gantry/kernel/transient-set';
/** Compacted when this many places at the front are empty, and they are most of all places. */
const COMPACT_AT = 1_024;

/** Ids in the order of adding. (The first value of a `Set` is found by walking over every deleted one before it.) */
export class EndOrder {
  private ids: string[] = [];
  private first = 0;
  private readonly present = new TransientSet<string>();

  get size(): number {
    return this.present.size;
  }

  add(id: string): void {
    if (this.present.has(id)) return;
    this.present.add(id);
    this.ids.push(id);
  }

  delete(id: string): void {
    this.present.delete(id);
  }

  /** Oldest first. */
  list(): string[] {
    return [...this.present];
  }

  /** Removes the oldest one and answers it. */
  takeOldest(): string | undefined {
    while (this.first < this.ids.length) {
      const id = this.ids[this.first];
      this.first += 1;
      if (this.first >= COMPACT_AT && this.first * 2 > this.ids.length) {
        this.ids = this.ids.slice(this.first);
        this.first = 0;
      }
      if (id !== undefined && this.present.delete(id)) return id;
    }
    return undefined;
  }
}
