import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '@gantry/testing/eventually';
import { World } from '../testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ GANTRY_WEB_ORIGINS: 'http://pages.example' });
});
afterAll(async () => {
  await world.stop();
});

describe('sockets', () => {
  const closing = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));
  const connectionInit = (token: string | undefined) => {
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.once('open', () =>
      socket.send(
        JSON.stringify({
          type: 'connection_init',
          payload: token === undefined ? {} : { authorization: `Bearer ${token}` },
        }),
      ),
    );
    return socket;
  };

  it('closes with 4401 without a token, 4403 with a bad one, 4403 when it runs out', async () => {
    expect(await closing(connectionInit(undefined))).toBe(4401);
    expect(await closing(connectionInit('nonsense'))).toBe(4403);
    const short = connectionInit(await world.token({ expiresInSeconds: 2 }));
    const acknowledged = new Promise((resolve) => short.once('message', (text: Buffer) => resolve(text.toString())));
    expect(await acknowledged).toContain('connection_ack');
    expect(await closing(short)).toBe(4403);
  });

  it('refuses pages it does not know', async () => {
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      origin: 'http://evil.example',
    });
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', () => undefined);
    });
    expect(status).toBe(403);
  });

  it('streams a task and its lines to a plain WebSocket', async () => {
    const { id } = await world.addTask();
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/api/tasks/${id}/stream`, [
      'gantry.v1',
      `gantry.bearer.${await world.token()}`,
    ]);
    const messages: { type: string; task?: { status: string }; lines?: { seq: number }[] }[] = [];
    socket.on('message', (text: Buffer) => messages.push(JSON.parse(text.toString()) as (typeof messages)[number]));
    await eventually(() => expect(messages.map(({ type }) => type)).toContain('task'));
    await world.start(id);
    await world.addLog(id, [1, 2]);
    await eventually(() => expect(messages.flatMap(({ lines }) => lines?.map(({ seq }) => seq) ?? [])).toEqual([1, 2]));
    await eventually(() => expect(messages.some(({ task }) => task?.status === 'running')).toBe(true));
    socket.close();
    await eventually(() => expect(world.parts.slots.used).toBe(0));
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(0));
  });
});
