import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { logIn, logOut, refreshSession } from '@gantry/contracts/auth/auth-requests';
import { getHealth } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { MetricBatch } from '@gantry/contracts/agents/metric-batch';
import { listWorkers, type WorkerView } from '@gantry/contracts/scheduling/scheduler-requests';
import { readLogs, searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { bearer, collect, graphql, subscriber } from './testing/api-client.js';
import { OTHER_ID, USER_ID, World } from './testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ GANTRY_WEB_ORIGINS: 'http://pages.example' });
});
afterAll(async () => {
  await world.stop();
});

const pairFor = (refreshToken: string) => ({
  accessToken: 'access',
  accessTokenExpiresAt: Date.now() + 900_000,
  refreshToken,
  refreshTokenExpiresAt: Date.now() + 86_400_000,
  user: world.user(),
});

function worker(id: string, lastHeartbeatAt: number): WorkerView {
  const capacity = { cpu: 4, memoryMb: 1_000, storageMb: 1_000 };
  return {
    id,
    status: 'active',
    spec: {
      name: id,
      hostname: id,
      address: '10.0.0.1',
      os: 'linux',
      agentVersion: '1',
      runtime: 'docker',
      runtimeVersion: '1',
      capacity,
      gpus: [],
      labels: { zone: 'a' },
      queues: [],
      images: [],
      maxTasks: 4,
    },
    usage: { cpuPercent: 1, memoryUsedMb: 1, storageUsedMb: 1, load1: 0 },
    allocated: { cpu: 0, memoryMb: 0, storageMb: 0 },
    allocatedGpuIds: [],
    running: [],
    counters: { completed: 0, failed: 0 },
    startedAt: 1,
    lastHeartbeatAt,
  };
}

describe('sessions', () => {
  it('keeps the refresh token in a cookie that only known pages may use', async () => {
    world.services.on(logIn, () => pairFor('refresh-1'));
    world.services.on(refreshSession, ({ refreshToken }) => pairFor(`${refreshToken}-next`));
    world.services.on(logOut, () => ({}));
    const loggedIn = await graphql(
      world.url,
      'mutation { logIn(email: "ada@example.org", password: "x") { accessToken refreshToken user { id } } }',
    );
    expect(loggedIn.data?.['logIn']).toEqual({ accessToken: 'access', refreshToken: null, user: { id: USER_ID } });
    const cookie = loggedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^gantry_refresh=refresh-1; .*HttpOnly; SameSite=Strict$/);

    const refresh = (headers: Record<string, string>) =>
      graphql(world.url, 'mutation { refresh { accessToken } }', {
        headers: { cookie: 'gantry_refresh=refresh-1', ...headers },
      });
    expect((await refresh({})).errors?.[0]?.extensions['code']).toBe('AUTH.CROSS_SITE');
    expect((await refresh({ origin: 'http://evil.example' })).errors?.[0]?.extensions['code']).toBe('AUTH.CROSS_SITE');
    const shown: Record<string, string>[] = [{ origin: 'http://pages.example' }, { 'x-gantry-csrf': '1' }];
    for (const headers of shown) {
      const renewed = await refresh(headers);
      expect(renewed.errors).toBeUndefined();
      expect(renewed.headers.get('set-cookie')).toContain('gantry_refresh=refresh-1-next;');
    }
    const out = await fetch(`${world.url}/api/auth/logout`, {
      method: 'POST',
      headers: { cookie: 'gantry_refresh=refresh-1', 'x-gantry-csrf': '1' },
    });
    expect([out.status, out.headers.get('set-cookie')?.startsWith('gantry_refresh=;')]).toEqual([204, true]);
  });

  it('gives programs the token in the body, and lets nobody be blocked by an old token', async () => {
    world.services.on(logIn, () => pairFor('refresh-2'));
    const response = await fetch(`${world.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(await world.token({ expiresInSeconds: -5 })) },
      body: JSON.stringify({ email: 'ada@example.org', password: 'x', cookie: false }),
    });
    expect([response.status, response.headers.get('set-cookie')]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({ refreshToken: 'refresh-2' });
  });

  it('slows down guessing', async () => {
    const slow = await World.start({ GANTRY_AUTH_RATE_PER_MINUTE: '3' });
    try {
      const codes: unknown[] = [];
      for (let round = 0; round < 5; round += 1) {
        const reply = await graphql(
          slow.url,
          'mutation { logIn(email: "ada@example.org", password: "x") { accessToken } }',
        );
        codes.push(reply.errors?.[0]?.extensions['code']);
      }
      expect(codes.filter((code) => code === 'LIMIT.TOO_MANY_REQUESTS')).toHaveLength(2);
      const refused = await fetch(`${slow.url}/api/auth/login`, { method: 'POST' });
      expect(refused.status).toBe(429);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(1);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(await refused.json()).toEqual({
        error: {
          code: 'LIMIT.TOO_MANY_REQUESTS',
          kind: 'limit',
          message: `Too many requests. Try again in ${seconds} s.`,
          retryable: true,
        },
      });
    } finally {
      await slow.stop();
    }
  });

  it('counts every guess of a document', async () => {
    const slow = await World.start({ GANTRY_AUTH_RATE_PER_MINUTE: '3' });
    try {
      slow.services.on(logIn, () => pairFor('refresh-3'));
      const guesses = ['a', 'b', 'c', 'd'].map(
        (alias) => `${alias}: logIn(email: "ada@example.org", password: "${alias}") { accessToken }`,
      );
      const reply = await graphql(slow.url, `mutation { ${guesses.join(' ')} }`);
      expect(reply.errors).toMatchObject([
        { path: ['d'], extensions: { code: 'LIMIT.TOO_MANY_REQUESTS', kind: 'limit', retryable: true } },
      ]);
    } finally {
      await slow.stop();
    }
  });
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

describe('live feeds', () => {
  it('tells each user about their own tasks only, and what left the filter', async () => {
    const own = subscriber(world.url, await world.token());
    const seen = collect<{ taskChanged: { id: string; status: string } }>(
      own,
      'subscription { taskChanged(filter: { statuses: [queued, assigned] }) { id status } }',
    );
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(1));
    const foreign = await world.addTask({}, OTHER_ID);
    const mine = await world.addTask();
    await world.start(mine.id);
    await world.succeed(mine.id);
    await eventually(() => expect(seen.values.map(({ taskChanged }) => taskChanged.status).at(-1)).toBe('running'));
    expect(seen.values.map(({ taskChanged }) => taskChanged.id)).not.toContain(foreign.id);
    await own.dispose();
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(0));
  });

  it('sends samples of machines to everybody, of tasks to their owners', async () => {
    const mine = await world.addTask();
    const foreign = await world.addTask({}, OTHER_ID);
    const sample = (taskId: string) => ({
      taskId,
      attempt: 1,
      t: 1,
      cpuPercent: 1,
      memoryUsedMb: 1,
      memoryLimitMb: 1,
      networkRxBytesPerSecond: 0,
      networkTxBytesPerSecond: 0,
      diskReadBytesPerSecond: 0,
      diskWriteBytesPerSecond: 0,
      processes: 1,
    });
    const gpu = {
      gpuId: 'g',
      gpuIndex: 0,
      model: 'm',
      t: 1,
      utilizationPercent: 1,
      memoryUsedMb: 1,
      memoryTotalMb: 1,
      temperatureC: null,
      powerWatts: null,
      smClockMhz: null,
      memoryClockMhz: null,
      eccErrors: null,
      taskId: foreign.id,
    };
    const batch: MetricBatch = {
      workerId: 'w1',
      session: 's',
      sequence: 1,
      gpus: [gpu],
      host: [],
      tasks: [sample(mine.id), sample(foreign.id)],
    };
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ metrics: { tasks: { taskId: string }[]; gpus: { taskId: string | null }[] } }>(
      client,
      'subscription { metrics { workerId gpus tasks } }',
    );
    await eventually(() => expect(world.parts.metricFeed.subscribers).toBe(1));
    await publishJson(world.nc, subjects.metrics('w1'), batch);
    await eventually(() => expect(seen.values).toHaveLength(1));
    expect(seen.values[0]?.metrics.tasks.map(({ taskId }) => taskId)).toEqual([mine.id]);
    expect(seen.values[0]?.metrics.gpus.map(({ taskId }) => taskId)).toEqual([null]);
    await client.dispose();
  });

  it('sends every worker at once, then those that changed', async () => {
    let heartbeat = 1;
    world.services.on(listWorkers, () => ({ workers: [worker('w1', heartbeat), worker('w2', 1)] }));
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ workerChanged: { id: string; lastHeartbeatAt: number } }>(
      client,
      'subscription { workerChanged { id lastHeartbeatAt labels { key value } } }',
    );
    await eventually(() =>
      expect(seen.values.map(({ workerChanged }) => workerChanged.id).sort()).toEqual(['w1', 'w2']),
    );
    heartbeat = 2;
    await publishJson(world.nc, subjects.fleet('w1'), {});
    await eventually(() =>
      expect(seen.values.some(({ workerChanged }) => workerChanged.lastHeartbeatAt === 2)).toBe(true),
    );
    await client.dispose();
  });

  it('sends the summary at once and again when a task changed', async () => {
    const client = subscriber(world.url, await world.token({ userId: OTHER_ID }));
    const seen = collect<{ summary: { total: number } }>(
      client,
      'subscription { summary { total degraded byStatus { status count } } }',
    );
    await eventually(() => expect(seen.values).toHaveLength(1));
    await world.addTask({}, OTHER_ID);
    await eventually(() => expect(seen.values.at(-1)?.summary.total).toBe((seen.values[0]?.summary.total ?? 0) + 1));
    await client.dispose();
  });

  it('streams events with ids and tells what was missed', async () => {
    const read = async (lastEventId: string | undefined, until: RegExp) => {
      const controller = new AbortController();
      const response = await fetch(`${world.url}/api/stream/tasks`, {
        headers: {
          ...bearer(await world.token()),
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal: controller.signal,
      });
      let text = '';
      try {
        for await (const chunk of response.body ?? []) {
          text += Buffer.from(chunk).toString();
          if (until.test(text)) break;
        }
      } finally {
        controller.abort();
      }
      return text;
    };
    const first = read(undefined, /event: task/);
    await eventually(() => expect(world.parts.taskFeed.subscribers).toBe(1));
    const { id } = await world.addTask();
    const position = /^id: (\d+)$/m.exec(await first)?.[1];
    await world.start(id);
    const missed = await world.addTask();
    const text = await read(position, new RegExp(missed.id));
    expect(text).toContain('"status":"running"');
  });

  it('goes on after the broker was killed', async () => {
    const { id } = await world.addTask();
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ task: { status: string } }>(client, 'subscription ($id: ID!) { task(id: $id) { status } }', {
      id,
    });
    await eventually(() => expect(seen.values).toHaveLength(1));
    await world.nats.restart();
    await Promise.all(
      [streams.metrics, streams.fleet].map((stream) => eventually(() => ensureStream(world.nc, stream))),
    );
    await world.start(id);
    await world.succeed(id);
    await eventually(() => expect(seen.values.at(-1)?.task.status).toBe('succeeded'), { timeoutMs: 30_000 });
    expect(seen.errors).toEqual([]);
    await client.dispose();
  });
});

describe('when telemetry is down', () => {
  it('lists and tails what is alive, and says that it is not all', async () => {
    world.services.off(searchTasks);
    world.services.off(readLogs);
    const { id } = await world.addTask();
    await world.start(id);
    const token = await world.token();
    const list = await graphql(world.url, '{ tasks(first: 100) { degraded edges { node { id } } } }', { token });
    expect(list.data?.['tasks']).toMatchObject({ degraded: true });
    expect(JSON.stringify(list.data)).toContain(id);

    const client = subscriber(world.url, token);
    const seen = collect<{ taskLogs: { lines: { seq: number }[] } }>(
      client,
      'subscription ($id: ID!) { taskLogs(taskId: $id) { lines { seq } } }',
      { id },
    );
    await world.addLog(id, [1]);
    await eventually(() =>
      expect(seen.values.flatMap(({ taskLogs }) => taskLogs.lines.map(({ seq }) => seq))).toEqual([1]),
    );
    await client.dispose();
    const page = await fetch(`${world.url}/api/tasks/${id}/logs`, { headers: bearer(token) });
    expect([page.status, ((await page.json()) as { error: { code: string } }).error.code]).toEqual([
      503,
      'SERVICE.UNAVAILABLE',
    ]);
  });
});

describe('pages about the system', () => {
  it('tells who is not well', async () => {
    expect((await fetch(`${world.url}/health`)).status).toBe(200);
    world.services.off(getHealth('tasks'));
    await eventually(async () => {
      const response = await fetch(`${world.url}/health`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        status: 'unhealthy',
        services: { tasks: 'unhealthy', auth: 'healthy' },
      });
    });
    const numbers = await graphql(world.url, '{ health { status httpRequests services { service rssBytes } } }', {
      token: await world.token(),
    });
    expect(numbers.errors).toBeUndefined();
  });

  it('documents itself and counts', async () => {
    const document = (await (await fetch(`${world.url}/api/docs/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    expect(Object.keys(document.paths)).toContain('/api/tasks/{id}/files/{fileId}');
    const page = await (await fetch(`${world.url}/api/docs`)).text();
    for (const [, asset] of page.matchAll(/(?:src|href)="(\/api\/docs\/[^"]+)"/g))
      expect((await fetch(`${world.url}${asset}`)).status).toBe(200);
    expect(await (await fetch(`${world.url}/metrics`)).text()).toContain('gantry_http_requests_total');
  });

  it('lets no page but its own do anything with a reply', async () => {
    const strict = {
      'content-security-policy':
        "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;object-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'cross-origin',
      'x-permitted-cross-domain-policies': 'none',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    };
    for (const path of ['/api/docs', '/api/docs/start.js', '/health', '/api/tasks', '/nothing/here', '/graphql']) {
      const { headers } = await fetch(`${world.url}${path}`);
      expect(Object.fromEntries(headers), path).toMatchObject(strict);
    }
  });

  it('answers known pages only with CORS', async () => {
    const preflight = (origin: string) =>
      fetch(`${world.url}/graphql`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    expect((await preflight('http://pages.example')).headers.get('access-control-allow-origin')).toBe(
      'http://pages.example',
    );
    expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});
