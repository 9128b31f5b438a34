import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, graphql } from '../testing/api-client.js';
import { World } from '../testing/world.fixture.js';

let world: World;
let token: string;
beforeAll(async () => {
  world = await World.start();
  token = await world.token();
});
afterAll(async () => {
  await world.stop();
});

async function send(
  method: string,
  path: string,
  options: { body?: string; type?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(`${world.url}${path}`, {
    method,
    headers: {
      ...bearer(token),
      ...(options.body === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as {
    error?: { code: string; message: string; fields?: { path: string }[] };
  };
  return { status: response.status, error: body.error };
}

const id = randomUUID();
const task = (fields: Record<string, unknown>) => JSON.stringify({ name: 'x', image: 'busybox', ...fields });

const badRequests: [
  string,
  () => Promise<{ status: number; error: { code: string; fields?: { path: string }[] } | undefined }>,
  number,
  string,
  string?,
][] = [
  ['malformed JSON', () => send('POST', '/api/tasks', { body: '{"name":' }), 400, 'INPUT.MALFORMED'],
  [
    'a poisoned prototype',
    () => send('POST', '/api/tasks', { body: '{"__proto__": {"admin": true}}' }),
    400,
    'INPUT.MALFORMED',
  ],
  ['a JSON array', () => send('POST', '/api/tasks', { body: '[]' }), 400, 'INPUT.INVALID'],
  ['no body', () => send('POST', '/api/tasks'), 400, 'INPUT.INVALID'],
  [
    'a form',
    () => send('POST', '/api/tasks', { body: 'name=x', type: 'application/x-www-form-urlencoded' }),
    415,
    'INPUT.UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'plain text',
    () => send('POST', '/api/tasks', { body: task({}), type: 'text/plain' }),
    415,
    'INPUT.UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'more than 1 MB',
    () => send('POST', '/api/tasks', { body: task({ description: 'x'.repeat(1_100_000) }) }),
    413,
    'INPUT.TOO_LARGE',
  ],
  [
    'a spec that is too large to store',
    () => send('POST', '/api/tasks', { body: task({ command: Array.from({ length: 20 }, () => 'x'.repeat(30_000)) }) }),
    400,
    'INPUT.TOO_LARGE',
  ],
  [
    'an unknown field',
    () => send('POST', '/api/tasks', { body: task({ imagee: 'x' }) }),
    400,
    'INPUT.INVALID',
    'imagee',
  ],
  ['a wrong type', () => send('POST', '/api/tasks', { body: task({ retries: '3' }) }), 400, 'INPUT.INVALID', 'retries'],
  [
    'a wrong nested value',
    () => send('POST', '/api/tasks', { body: task({ resources: { gpu: { count: -1 } } }) }),
    400,
    'INPUT.INVALID',
    'resources.gpu.count',
  ],
  [
    'two different idempotency keys',
    () => send('POST', '/api/tasks', { body: task({ idempotencyKey: 'a' }), headers: { 'idempotency-key': 'b' } }),
    400,
    'INPUT.INVALID',
    'idempotencyKey',
  ],
  ['a bad id', () => send('GET', '/api/tasks/42'), 400, 'INPUT.INVALID', 'id'],
  ['a bad id in cancel', () => send('POST', '/api/tasks/42/cancel'), 400, 'INPUT.INVALID', 'taskId'],
  ['a bad path encoding', () => send('GET', '/api/tasks/%ff'), 400, 'INPUT.MALFORMED'],
  ['an id that does not exist', () => send('GET', `/api/tasks/${id}`), 404, 'TASK.NOT_FOUND'],
  ['an unknown route', () => send('GET', '/api/nothing'), 404, 'HTTP.NO_SUCH_ROUTE'],
  ['an unknown parameter', () => send('GET', '/api/tasks?lmit=5'), 400, 'INPUT.INVALID', 'lmit'],
  ['a repeated parameter', () => send('GET', '/api/tasks?limit=5&limit=6'), 400, 'INPUT.INVALID', 'limit'],
  ['no number', () => send('GET', '/api/tasks?limit=many'), 400, 'INPUT.INVALID', 'limit'],
  ['too long a page', () => send('GET', '/api/tasks?limit=5000'), 400, 'INPUT.INVALID', 'first'],
  ['an unknown status', () => send('GET', '/api/tasks?status=lost'), 400, 'INPUT.INVALID', 'filter.statuses.0'],
  ['an unknown order', () => send('GET', '/api/tasks?sort=beauty'), 400, 'INPUT.INVALID', 'sort'],
  ['a bad cursor', () => send('GET', '/api/tasks?after=abc'), 400, 'INPUT.INVALID', 'after'],
  [
    'a window that ends before it begins',
    () => send('GET', '/api/workers/w1/metrics?from=5&to=4'),
    400,
    'INPUT.INVALID',
    'to',
  ],
  [
    'an unknown metric',
    () => send('GET', '/api/workers/w1/metrics?metrics=happiness'),
    400,
    'INPUT.INVALID',
    'metrics.0',
  ],
  [
    'a bad stream position',
    () => send('GET', '/api/stream/tasks', { headers: { 'last-event-id': 'abc' } }),
    400,
    'INPUT.INVALID',
    'Last-Event-ID',
  ],
  [
    'a bad header',
    () => send('GET', '/api/tasks', { headers: { authorization: 'Basic abc' } }),
    401,
    'AUTH.TOKEN_INVALID',
  ],
  [
    'an unsigned token',
    () => send('GET', '/api/tasks', { headers: { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' } }),
    401,
    'AUTH.TOKEN_INVALID',
  ],
  [
    'an unknown API key',
    () => send('GET', '/api/tasks', { headers: { authorization: 'Bearer gtk_x_y' } }),
    401,
    'AUTH.API_KEY_INVALID',
  ],
  [
    'a forged ticket',
    () => send('GET', `/api/tasks/${id}/files/x?ticket=e30.AAAA`, { headers: { authorization: '' } }),
    401,
    'AUTH.TICKET_INVALID',
  ],
];

describe('bad REST requests', () => {
  it.each(badRequests)('%s', async (_name, request, status, code, field) => {
    const reply = await request();
    expect([reply.status, reply.error?.code]).toEqual([status, code]);
    if (field !== undefined) expect(reply.error?.fields?.map(({ path }) => path)).toContain(field);
  });

  it('refuses a malformed host', async () => {
    const { port } = new URL(world.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write('GET /health/live HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'),
      );
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('bad GraphQL requests', () => {
  const deep = `{ tasks { edges { node { ${'explanation { workers { unmet { message } } } '.repeat(1)} } } } }`;
  it.each([
    ['a syntax error', '{ tasks {', 400, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ nothing }', 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing argument', '{ task { id } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['a wrong literal', '{ tasks(first: "x") { degraded } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'too many root fields',
      `{ ${Array.from({ length: 30 }, (_, index) => `a${index}: me { id }`).join(' ')} }`,
      400,
      'GRAPHQL.TOO_COMPLEX',
    ],
    [
      'too much at once',
      `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: series(source: host, metrics: ["x"], from: 1, to: 2) { bucketSeconds series { ${Array.from({ length: 50 }, (__, field) => `b${field}: metric c${field}: key`).join(' ')} } }`).join(' ')} }`,
      400,
      'GRAPHQL.TOO_COMPLEX',
    ],
    [
      'too deep',
      `{ __schema { types { ${'fields { type { ofType { '.repeat(6)} name ${'} } } '.repeat(6)} } } }`,
      400,
      'GRAPHQL.TOO_COMPLEX',
    ],
    ['a bad id', '{ task(id: "42") { id } }', 200, 'INPUT.INVALID'],
    ['a bad cursor', '{ tasks(after: "abc") { degraded } }', 200, 'INPUT.INVALID'],
    [
      'a key given twice',
      'mutation { submitTask(input: {name: "x", image: "y", env: [{key: "A", value: "1"}, {key: "A", value: "2"}]}) { duplicate } }',
      200,
      'INPUT.INVALID',
    ],
  ])('%s', async (_name, query, status, code) => {
    const reply = await graphql(world.url, query, { token });
    expect([reply.status, reply.errors?.[0]?.extensions['code']]).toEqual([status, code]);
    expect(reply.errors?.[0]?.extensions['kind']).toMatch(/^(invalid|limit)$/);
  });

  it('serves what is deep but not too deep, and the standard introspection', async () => {
    expect((await graphql(world.url, deep, { token })).errors).toBeUndefined();
    const { getIntrospectionQuery } = await import('graphql');
    expect((await graphql(world.url, getIntrospectionQuery())).errors).toBeUndefined();
  });

  it('refuses wrong variables, malformed bodies and cross-site forms with 400', async () => {
    const variables = await graphql(world.url, 'query ($id: ID!) { task(id: $id) { id } }', {
      token,
      variables: { id: { a: 1 } },
    });
    expect([variables.status, variables.errors?.[0]?.extensions['kind']]).toEqual([400, 'invalid']);
    expect((await send('POST', '/graphql', { body: '{' })).status).toBe(400);
    expect((await send('POST', '/graphql', { body: '"x"' })).status).toBe(400);
    expect((await send('POST', '/graphql')).status).toBe(400);
    expect((await send('GET', '/graphql?query=%7Bme%7Bid%7D%7D')).status).toBe(400);
    expect(
      (await send('GET', '/graphql?query=mutation%7BlogOut%7D', { headers: { 'apollo-require-preflight': '1' } }))
        .status,
    ).toBe(405);
  });
});

describe('no input is a defect', () => {
  it('answers any body of a task with 2xx or 4xx', async () => {
    const field = fc.constantFrom(
      'name',
      'image',
      'command',
      'env',
      'resources',
      'tags',
      'labels',
      'priority',
      'queue',
      'network',
      'other',
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue())), async (body) => {
        const { status, error } = await send('POST', '/api/tasks', { body: JSON.stringify(body) });
        expect(status).toBeLessThan(500);
        if (status >= 400) expect(error?.code).toMatch(/^[A-Z_]+\.[A-Z_]+$/);
      }),
      { numRuns: 150 },
    );
  });

  it('answers any query string and path with 2xx or 4xx', async () => {
    const name = fc.constantFrom('limit', 'after', 'status', 'sort', 'search', 'descending', 'tag', 'x');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 4 }),
        fc.string({ unit: 'binary' }),
        async (pairs, segment) => {
          const query = new URLSearchParams(pairs).toString();
          expect((await send('GET', `/api/tasks?${query}`)).status).toBeLessThan(500);
          expect(
            (
              await send(
                'GET',
                `/api/tasks/${encodeURIComponent(segment.replace(/\p{Surrogate}/gu, ''))}/logs?${query}`,
              )
            ).status,
          ).toBeLessThan(500);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('answers any GraphQL variables with 200 or 400', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom('input', 'id', 'after'), fc.jsonValue()), async (variables) => {
        const query =
          'mutation ($input: SubmitTaskInput!, $id: ID) { submitTask(input: $input) { duplicate } createDownloadTicket(taskId: "x", artifactId: $id) { url } }';
        const { status, errors } = await graphql(world.url, query, { token, variables });
        expect([200, 400]).toContain(status);
        expect(errors?.map(({ extensions }) => extensions['kind'])).not.toContain('internal');
      }),
      { numRuns: 100 },
    );
  });
});
