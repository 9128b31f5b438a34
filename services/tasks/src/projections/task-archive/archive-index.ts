const SHARDS = 256;
const FIRST_SLOTS = 16;
/** Three words of four bytes: the hash, and the segment (0 = empty). */
const WORDS = 3;

/** One of many small tables, so that growing one is never a pause. */
class Shard {
  private table = new Uint32Array(FIRST_SLOTS * WORDS);
  private used = 0;

  get bytes(): number {
    return this.table.byteLength;
  }

  /** False if it was there already. */
  add(high: number, low: number, segment: number): boolean {
    if (!insert(this.table, high, low, segment)) return false;
    this.used += 1;
    if (this.used * WORDS * 4 > this.table.length * 3) this.grow();
    return true;
  }

  find(high: number, low: number): number[] {
    const { table } = this;
    const slots = table.length / WORDS;
    const found: number[] = [];
    for (let slot = low % slots; ; slot = (slot + 1) % slots) {
      const at = slot * WORDS;
      const segment = table[at + 2]!;
      if (segment === 0) return found;
      if (table[at] === high && table[at + 1] === low) found.push(segment);
    }
  }

  private grow(): void {
    const grown = new Uint32Array(Math.ceil((this.table.length / WORDS) * 1.5) * WORDS);
    for (let at = 0; at < this.table.length; at += WORDS) {
      const segment = this.table[at + 2]!;
      if (segment !== 0) insert(grown, this.table[at]!, this.table[at + 1]!, segment);
    }
    this.table = grown;
  }
}

function insert(table: Uint32Array, high: number, low: number, segment: number): boolean {
  const slots = table.length / WORDS;
  for (let slot = low % slots; ; slot = (slot + 1) % slots) {
    const at = slot * WORDS;
    if (table[at + 2] === 0) {
      table.set([high, low, segment], at);
      return true;
    }
    if (table[at] === high && table[at + 1] === low && table[at + 2] === segment) return false;
  }
}

/**
 * Which segments of ARCHIVE may hold a task: 64 bits of its id against the segment's sequence, 16 to 24 bytes a task. A task may be in
 * several segments, and (once in 10^19 / number of tasks questions) be named by one that does not hold it.
 */
export class ArchiveIndex {
  private shards = newShards();
  private entries = 0;

  get size(): number {
    return this.entries;
  }

  get bytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  }

  add(hash: Uint8Array, segment: number): void {
    const [high, low] = wordsOf(hash);
    if (this.shards[hash[0]!]!.add(high, low, segment)) this.entries += 1;
  }

  /** Segments, oldest first. */
  find(hash: Uint8Array): number[] {
    const [high, low] = wordsOf(hash);
    return this.shards[hash[0]!]!.find(high, low).sort((a, b) => a - b);
  }

  clear(): void {
    this.shards = newShards();
    this.entries = 0;
  }
}

function newShards(): Shard[] {
  return Array.from({ length: SHARDS }, () => new Shard());
}

function wordsOf(hash: Uint8Array): [high: number, low: number] {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return [view.getUint32(0), view.getUint32(4)];
}
