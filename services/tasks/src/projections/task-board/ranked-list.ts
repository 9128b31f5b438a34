export interface RankedKey {
  readonly createdAt: number;
  readonly id: string;
}

const BLOCK = 512;

/**
 * Keys in ascending order with the rank of any key, in blocks: adding, removing and ranking one of n keys costs about
 * n / 512 + 512 cheap steps. A plain sorted array would shift 100,000 entries for each task that leaves a long queue.
 */
export class RankedList {
  private blocks: RankedKey[][] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(key: RankedKey): void {
    if (this.append(key)) return;
    const at = this.blockOf(key);
    const block = this.blocks[at];
    if (block === undefined) {
      this.blocks.push([key]);
      this.count += 1;
      return;
    }
    const index = lowerBound(block, key);
    if (sameKey(block[index], key)) return;
    block.splice(index, 0, key);
    this.count += 1;
    if (block.length > BLOCK) this.blocks.splice(at + 1, 0, block.splice(BLOCK / 2));
  }

  /** New tasks are mostly the newest ones, and after a start a million of them come in their order. */
  private append(key: RankedKey): boolean {
    const block = this.blocks[this.blocks.length - 1];
    const last = block?.[block.length - 1];
    if (block === undefined || last === undefined || compareKeys(last, key) >= 0) return false;
    if (block.length < BLOCK) block.push(key);
    else this.blocks.push([key]);
    this.count += 1;
    return true;
  }

  remove(key: RankedKey): void {
    const at = this.blockOf(key);
    const block = this.blocks[at];
    if (block === undefined) return;
    const index = lowerBound(block, key);
    if (!sameKey(block[index], key)) return;
    block.splice(index, 1);
    this.count -= 1;
    if (block.length === 0) this.blocks.splice(at, 1);
  }

  /** How many keys stand before this one, which need not be here. */
  before(key: RankedKey): number {
    const at = this.blockOf(key);
    const block = this.blocks[at];
    if (block === undefined) return 0;
    let before = lowerBound(block, key);
    for (let earlier = 0; earlier < at; earlier += 1) before += this.blocks[earlier]?.length ?? 0;
    return before;
  }

  /** First block whose last key is not before `key`; the last block if all are. */
  private blockOf(key: RankedKey): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const last = this.blocks[middle]?.at(-1);
      if (last !== undefined && compareKeys(last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(low, 0);
  }
}

function lowerBound(block: readonly RankedKey[], key: RankedKey): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = block[middle];
    if (candidate !== undefined && compareKeys(candidate, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareKeys(a: RankedKey, b: RankedKey): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

function sameKey(a: RankedKey | undefined, b: RankedKey): boolean {
  return a !== undefined && a.createdAt === b.createdAt && a.id === b.id;
}
