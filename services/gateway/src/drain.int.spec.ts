import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { getTask } from '@gantry/contracts/tasks/task-requests';
import { eventually } from '@gantry/testing/eventually';
import { WebSocket } from 'ws';
import { bearer, graphql } from './testing/api-client.js';
import { World } from './testing/world.fixture.js';

let world: World;

beforeEach(async () => {
  world = await World.start();
});

afterEach(async () => {
  await world.stop();
});

it('answers what it has in hand before it stops, takes nothing new, and sends live connections elsewhere', async () => {
  const token = await world.token();
  const { id } = await world.addTask();
  const view = world.tasks.get(id)!.view;
  let answer: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (answer = resolve));
  world.services.on(getTask, async () => {
    await released;
    return { task: view, queuePosition: null };
  });
  const events = await fetch(`${world.url}/api/stream/tasks`, { headers: bearer(token) });
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const closed = once(socket, 'close') as Promise<[number]>;
  const inHand = Array.from({ length: 5 }, () =>
    graphql(world.url, 'query ($id: ID!) { task(id: $id) { id } }', { token, variables: { id } }),
  );
  await eventually(() => Promise.resolve(expect(world.services.asked(getTask)).toHaveLength(5)));

  const stopped = world.stopServer();
  expect((await closed)[0]).toBe(1001);
  await expect(fetch(`${world.url}/health/live`)).rejects.toThrow();
  answer();
  const answers = await Promise.all(inHand);
  expect(answers.map(({ status, data, headers }) => [status, data, headers.get('connection')])).toEqual(
    answers.map(() => [200, { task: { id } }, 'close']),
  );
  await stopped;
  await events.body?.cancel().catch(() => undefined);
});
