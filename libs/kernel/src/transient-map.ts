/** Fewer deletions than this are not worth a new table, however few entries there are. */
const LEAST_DELETED = 32;
/** Copying more than this at once would be felt, and so large a table is not replaced often. */
const MOST_COPIED = 50_000;

/**
 * A map whose entries come and go, for as long as the process lives: what is in hand, who waits for what. A plain `Map` makes the garbage
 * collector keep what has left it. V8 replaces a table that is full of deleted places, and the old table goes on naming the new one; each
 * full collection moves the table of the moment among the old objects, where it is taken for alive until the next full collection, and
 * with it its successor, the successor of that, and whatever stood in any of them. Everything that passes through the map is then
 * copied twice and moved among the old objects as well. Here a new map, which no older one names, takes the place of one from which as much was deleted
 * as is in it. Measured in docs/performance.md, "What outlives its use".
 *
 * Entries are in the order of their setting. What is set while somebody walks over the entries may be left out of the walk.
 */
export class TransientMap<Key, Value> {
  private entries = new Map<Key, Value>();
  /** Since `entries` was made. */
  private deleted = 0;

  get size(): number {
    return this.entries.size;
  }

  has(key: Key): boolean {
    return this.entries.has(key);
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  set(key: Key, value: Value): this {
    // Here and not in `delete`, so that whoever walks over the entries may delete them.
    const { size } = this.entries;
    if (this.deleted >= LEAST_DELETED && this.deleted >= size && size <= MOST_COPIED) {
      this.entries = new Map(this.entries);
      this.deleted = 0;
    }
    this.entries.set(key, value);
    return this;
  }

  delete(key: Key): boolean {
    const found = this.entries.delete(key);
    if (found) this.deleted += 1;
    return found;
  }

  clear(): void {
    this.entries = new Map();
    this.deleted = 0;
  }

  keys(): MapIterator<Key> {
    return this.entries.keys();
  }

  values(): MapIterator<Value> {
    return this.entries.values();
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries[Symbol.iterator]();
  }
}
