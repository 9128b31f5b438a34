import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { ManualClock } from '@gantry/kernel/clock';
import { describe, expect, it } from 'vitest';
import type { ServiceClient } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';
import { LogPagesQuery } from './log-pages.query.js';

const caller = {} as Caller;
const line = { seq: 1, n: 1, stream: 'stdout' as const, t: 1, text: 'done' };

/** A task whose first attempt ended so long ago; what telemetry answers, one page after the other, the last one again and again. */
function world(endedMsAgo: number | null, pages: { attempt: number | null; lines: unknown[]; complete: boolean }[]) {
  const clock = new ManualClock();
  const finishedAt = endedMsAgo === null ? null : clock.now() - endedMsAgo;
  const task = { attempt: 1, attempts: [{ attempt: 1, startedAt: 1, finishedAt }] } as unknown as TaskView;
  let asked = 0;
  const services = {
    ask: () => Promise.resolve(pages[Math.min(asked++, pages.length - 1)]),
  } as unknown as ServiceClient;
  const query = new LogPagesQuery(services, { get: () => Promise.resolve({ task, queuePosition: null }) }, clock);
  return { read: () => query.read({ taskId: 't' }, caller), asked: () => asked };
}

const nothing = { attempt: null, lines: [], complete: false };
const whole = { attempt: 1, lines: [line], complete: true };

describe('a page of log history', () => {
  it('of a task that has just ended waits for its last lines', async () => {
    const { read, asked } = world(100, [nothing, { ...whole, complete: false }, whole]);
    expect(await read()).toEqual(whole);
    expect(asked()).toBe(3);
  });

  it.each([
    ['runs', null],
    ['ended long ago', 60_000],
  ])('of a task that %s is what there is', async (_, endedMsAgo) => {
    const { read, asked } = world(endedMsAgo, [nothing, whole]);
    expect(await read()).toEqual(nothing);
    expect(asked()).toBe(1);
  });

  it('does not wait for ever for a last line that nobody wrote', async () => {
    const { read, asked } = world(100, [nothing]);
    expect(await read()).toEqual(nothing);
    expect(asked()).toBeGreaterThan(10);
  });
});
