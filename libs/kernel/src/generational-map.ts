/**
 * Remembers at least the `capacity` entries that were set or asked for last, and at most twice as many. Two plain maps take
 * turns: one map with a deletion per entry looks simpler, but V8 keeps the holes until it copies the table, and finding the
 * oldest entry walks over all of them.
 */
export class GenerationalMap<Key, Value> {
  private young = new Map<Key, Value>();
  private old = new Map<Key, Value>();

  constructor(private readonly capacity: number) {}

  get(key: Key): Value | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const kept = this.old.get(key);
    if (kept !== undefined) this.set(key, kept);
    return kept;
  }

  /** Like `get`, but does not count as use. */
  peek(key: Key): Value | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  /** Whether it is remembered; does not count as use. */
  has(key: Key): boolean {
    return this.young.has(key) || this.old.has(key);
  }

  set(key: Key, value: Value): void {
    this.young.set(key, value);
    if (this.young.size < this.capacity) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: Key): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}
