import { GantryError } from '@gantry/kernel/gantry-error';

/** Work on one key runs one after the other, on different keys side by side; a long queue is refused. */
export class KeyedTurns {
  private readonly tails = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(private readonly maxWaiting: number) {}

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const tail = this.tails.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (tail.waiting >= this.maxWaiting) {
      throw new GantryError(
        'AUTH.BUSY',
        'unavailable',
        'Too many requests for this account are waiting. Try again in a moment.',
      );
    }
    const turn = tail.last.then(work, work);
    tail.last = turn.catch(() => undefined);
    tail.waiting += 1;
    this.tails.set(key, tail);
    try {
      return await turn;
    } finally {
      tail.waiting -= 1;
      if (tail.waiting === 0) this.tails.delete(key);
    }
  }
}
