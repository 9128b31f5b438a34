import { expect, it } from 'vitest';
import { eventually } from '@gantry/testing/eventually';
import { HealthFeed } from './health-feed.js';
import { liveIterator } from './live-iterator.js';

const healthOf = (status: string, rssBytes: number) => ({
  status,
  services: [{ service: 'tasks', status, reasons: [], rssBytes }],
});

function listen(feed: HealthFeed<ReturnType<typeof healthOf>>) {
  const iterator = liveIterator((signal) => feed.states(signal));
  const seen: ReturnType<typeof healthOf>[] = [];
  const ended = (async () => {
    for await (const health of iterator) seen.push(health);
  })();
  return { seen, stop: () => iterator.return(undefined).then(() => ended) };
}

it('tells at once when a part changed, its mere numbers later, and asks nobody when nobody listens', async () => {
  let asked = 0;
  let current = healthOf('healthy', 1);
  const feed = new HealthFeed(
    async () => {
      asked += 1;
      return current;
    },
    5,
    60_000,
  );
  const first = listen(feed);
  const second = listen(feed);
  await eventually(() => expect([first.seen.length, second.seen.length]).toEqual([1, 1]));

  current = healthOf('healthy', 2);
  const askedBefore = asked;
  await eventually(() => expect(asked).toBeGreaterThan(askedBefore + 2));
  expect([first.seen.length, second.seen.length]).toEqual([1, 1]);

  current = healthOf('degraded', 3);
  await eventually(() => expect([first.seen.at(-1), second.seen.at(-1)]).toEqual([current, current]));
  expect([first.seen.length, second.seen.length]).toEqual([2, 2]);

  await Promise.all([first.stop(), second.stop()]);
  expect(feed.subscribers).toBe(0);
  const askedAtLast = asked;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).toBeLessThanOrEqual(askedAtLast + 1);
});

it('tells the numbers when they are due', async () => {
  let rssBytes = 0;
  const feed = new HealthFeed(async () => healthOf('healthy', (rssBytes += 1)), 1, 1);
  const { seen, stop } = listen(feed);
  await eventually(() => expect(seen.length).toBeGreaterThan(3));
  await stop();
});
