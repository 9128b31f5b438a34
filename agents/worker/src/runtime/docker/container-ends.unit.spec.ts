import { describe, expect, it } from 'vitest';
import { ContainerEnds } from './container-ends.js';

const never = new AbortController().signal;
const LONG_MS = 60_000;

describe('known ends of containers', () => {
  it('tells everybody who waits, and at once who comes later', async () => {
    const ends = new ContainerEnds();
    const waiting = [ends.within('a', LONG_MS, never), ends.within('a', LONG_MS, never)];
    ends.note('a');
    expect(await Promise.all([...waiting, ends.within('a', LONG_MS, never)])).toEqual([true, true, true]);
  });

  it('does not take one container for another, nor know of one that is gone', async () => {
    const ends = new ContainerEnds();
    ends.note('a');
    expect(await ends.within('b', 1, never)).toBe(false);
    ends.forget('a');
    expect(await ends.within('a', 1, never)).toBe(false);
  });

  it('lets go when told to', async () => {
    const ends = new ContainerEnds();
    const stop = new AbortController();
    const waiting = ends.within('a', LONG_MS, stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await ends.within('a', LONG_MS, stop.signal)).toBe(false);
  });
});
