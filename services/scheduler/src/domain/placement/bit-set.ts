/**
 * A growing set of small integers with one level of summary (one bit per 32-bit word), so that sparse sets are
 * intersected without looking at their empty words. Iteration is in ascending order, which makes every choice canonical.
 */
export class BitSet {
  private words: Uint32Array;
  private summary: Uint32Array;
  private count = 0;

  constructor(capacity = 1024) {
    const words = Math.max(1, Math.ceil(capacity / 32));
    this.words = new Uint32Array(words);
    this.summary = new Uint32Array(Math.ceil(words / 32));
  }

  get size(): number {
    return this.count;
  }

  add(value: number): void {
    const word = value >>> 5;
    if (word >= this.words.length) this.grow(word + 1);
    const before = this.words[word]!;
    const after = (before | (1 << (value & 31))) >>> 0;
    if (after === before) return;
    this.count += 1;
    this.words[word] = after;
    this.summary[word >>> 5] = this.summary[word >>> 5]! | (1 << (word & 31));
  }

  delete(value: number): void {
    const word = value >>> 5;
    if (word >= this.words.length) return;
    const before = this.words[word]!;
    const left = (before & ~(1 << (value & 31))) >>> 0;
    if (left === before) return;
    this.count -= 1;
    this.words[word] = left;
    if (left === 0) this.summary[word >>> 5] = this.summary[word >>> 5]! & ~(1 << (word & 31));
  }

  has(value: number): boolean {
    const word = value >>> 5;
    return word < this.words.length && (this.words[word]! & (1 << (value & 31))) !== 0;
  }

  copyFrom(other: BitSet): void {
    this.count = other.count;
    if (this.words.length !== other.words.length) {
      this.words = other.words.slice();
      this.summary = other.summary.slice();
      return;
    }
    this.words.set(other.words);
    this.summary.set(other.summary);
  }

  /** Lowest member, at least `from`, that `accept` takes; -1 if there is none. `accept` may delete the value it is given. */
  find(accept: (value: number) => boolean, from = 0): number {
    const firstWord = from >>> 5;
    for (let block = firstWord >>> 5; block < this.summary.length; block += 1) {
      let pending = this.summary[block]! | 0;
      if (block === firstWord >>> 5) pending &= -1 << (firstWord & 31);
      while (pending !== 0) {
        const lowWord = pending & -pending;
        pending ^= lowWord;
        const word = (block << 5) + 31 - Math.clz32(lowWord);
        let bits = this.words[word]! | 0;
        if (word === firstWord) bits &= -1 << (from & 31);
        while (bits !== 0) {
          const low = bits & -bits;
          bits ^= low;
          const value = (word << 5) + 31 - Math.clz32(low);
          if (accept(value)) return value;
        }
      }
    }
    return -1;
  }

  /** Highest member that `accept` takes, or -1. */
  findLast(accept: (value: number) => boolean): number {
    for (let word = this.words.length - 1; word >= 0; word -= 1) {
      let bits = this.words[word]! | 0;
      while (bits !== 0) {
        const at = 31 - Math.clz32(bits);
        bits ^= 1 << at;
        if (accept((word << 5) + at)) return (word << 5) + at;
      }
    }
    return -1;
  }

  /** Like `find`, over the members that `other` (and `third`, if given) have too. */
  findShared(other: BitSet, third: BitSet | undefined, accept: (value: number) => boolean): number {
    const length = Math.min(this.summary.length, other.summary.length, third?.summary.length ?? Infinity);
    for (let block = 0; block < length; block += 1) {
      let pending = this.summary[block]! & other.summary[block]! & (third === undefined ? -1 : third.summary[block]!);
      while (pending !== 0) {
        const lowWord = pending & -pending;
        pending ^= lowWord;
        const word = (block << 5) + 31 - Math.clz32(lowWord);
        let bits = this.words[word]! & other.words[word]! & (third === undefined ? -1 : third.words[word]!);
        while (bits !== 0) {
          const low = bits & -bits;
          bits ^= low;
          const value = (word << 5) + 31 - Math.clz32(low);
          if (accept(value)) return value;
        }
      }
    }
    return -1;
  }

  private grow(words: number): void {
    const size = Math.max(words, this.words.length * 2);
    const next = new Uint32Array(size);
    next.set(this.words);
    this.words = next;
    const summary = new Uint32Array(Math.ceil(size / 32));
    summary.set(this.summary);
    this.summary = summary;
  }
}
