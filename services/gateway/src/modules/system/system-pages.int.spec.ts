import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getHealth } from '@gantry/contracts/messaging/request';
import { readLogs, searchTasks } from '@gantry/contracts/telemetry/telemetry-requests';
import { eventually } from '@gantry/testing/eventually';
import { bearer, collect, graphql, subscriber } from '../../testing/api-client.js';
import { wellReport, World } from '../../testing/world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ GANTRY_WEB_ORIGINS: 'http://pages.example' });
});
afterAll(async () => {
  await world.stop();
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

  it('pushes that a service went away and came back', async () => {
    world.services.on(getHealth('tasks'), () => wellReport('tasks'));
    const client = subscriber(world.url, await world.token());
    const seen = collect<{ health: { services: { service: string; status: string }[] } }>(
      client,
      'subscription { health { status httpRequests services { service status } } }',
    );
    const statusOfTasks = () => seen.values.at(-1)?.health.services.find(({ service }) => service === 'tasks')?.status;
    await eventually(() => expect(statusOfTasks()).toBe('healthy'));
    world.services.off(getHealth('tasks'));
    await eventually(() => expect(statusOfTasks()).toBe('unhealthy'));
    world.services.on(getHealth('tasks'), () => wellReport('tasks'));
    await eventually(() => expect(statusOfTasks()).toBe('healthy'));
    await client.dispose();
    await eventually(() => expect(world.parts.healthFeed.subscribers).toBe(0));
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

  it('lets nobody keep an answer of the API', async () => {
    for (const query of ['{ health { status } }', '{ me { id } }', '{ nothing }']) {
      const { headers } = await fetch(`${world.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      expect(headers.get('cache-control'), query).toBe('no-store');
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
