import { expect, it } from 'vitest';
import { CoalescingQueue } from './coalescing-queue.js';
import { liveIterator } from './live-iterator.js';
import { merged } from './merged.js';

const never = new AbortController().signal;

it('keeps the newest value per key, in order of first arrival', async () => {
  const queue = new CoalescingQueue<string>();
  queue.push('a', 'a1');
  queue.push('b', 'b1');
  queue.push('a', 'a2');
  expect(await queue.drain(never)).toEqual(['a2', 'b1']);
  const waiting = queue.drain(never);
  queue.push('c', 'c1');
  expect(await waiting).toEqual(['c1']);
});

it('fails a subscriber that falls too far behind instead of leaving something out', async () => {
  const queue = new CoalescingQueue<number>(2);
  queue.push('a', 1);
  queue.push('b', 2);
  queue.push('b', 3);
  queue.push('c', 4);
  expect(await queue.drain(never)).toEqual([1, 3]);
  await expect(queue.drain(never)).rejects.toMatchObject({ code: 'LIMIT.SLOW_SUBSCRIBER', retryable: true });
});

it('lets a client go that leaves while nothing happens', async () => {
  const queue = new CoalescingQueue<number>();
  let left = false;
  const iterator = liveIterator(async function* (signal) {
    try {
      while (!signal.aborted) yield* await queue.drain(signal);
    } finally {
      left = true;
    }
  });
  const pending = iterator.next();
  await iterator.return(undefined);
  expect(await pending).toEqual({ done: true, value: undefined });
  expect(left).toBe(true);
});

it('merges sources as values come and ends with the last', async () => {
  async function* of(...values: number[]) {
    yield* values;
  }
  const seen: number[] = [];
  for await (const value of merged([of(1, 2), of(10), of()])) seen.push(value);
  expect(seen.sort((a, b) => a - b)).toEqual([1, 2, 10]);
});
