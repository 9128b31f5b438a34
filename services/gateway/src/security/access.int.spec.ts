import { randomUUID } from 'node:crypto';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  subscribe,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Scope } from '@gantry/contracts/auth/auth-requests';
import { bearer, graphql } from '../testing/api-client.js';
import { OTHER_ID, World } from '../testing/world.fixture.js';
import { accessTable, type Access } from './authorisation.js';
import { routeDescriptions } from '../openapi/docs.controller.js';

let world: World;
let taskId: string;
beforeAll(async () => {
  world = await World.start();
  ({ id: taskId } = await world.addTask());
});
afterAll(async () => {
  await world.stop();
});

type Member = Extract<Access, { kind: 'member' }>;
const members = Object.entries(accessTable).filter((entry): entry is [string, Member] => entry[1].kind === 'member');

/** A GraphQL operation with something valid for every required argument. */
function operationFor(field: string): string {
  const [root = '', name = ''] = field.split('.');
  const type = world.server.schema.getType(root) as GraphQLObjectType;
  const definition = type.getFields()[name];
  if (definition === undefined) throw new Error(`${field} is in the table but not in the schema`);
  const given = definition.args.filter((argument) => isNonNullType(argument.type));
  const args =
    given.length === 0 ? '' : `(${given.map((argument) => `${argument.name}: ${literal(argument)}`).join(', ')})`;
  const selection = isObjectType(getNamedType(definition.type)) ? '{ __typename }' : '';
  return `${root.toLowerCase()} { ${name}${args} ${selection} }`;
}

function literal(argument: GraphQLArgument | GraphQLInputField, type: GraphQLInputType = argument.type): string {
  if (isNonNullType(type)) return literal(argument, type.ofType);
  if (isListType(type)) return `[${literal(argument, type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${required.map((field) => `${field.name}: ${literal(field)}`).join(', ')} }`;
  }
  if (type.name === 'ID') return JSON.stringify(taskId);
  return type.name === 'String' ? '"busybox"' : '1';
}

interface Refusal {
  status: number | undefined;
  code: string | undefined;
}

/** Tries an operation of the table and tells how it was refused (code undefined = it was not). */
async function attempt(operation: string, credential: string | undefined): Promise<Refusal> {
  if (operation.startsWith('WS ')) return attemptSocket(operation.slice(3), credential);
  if (!operation.includes(' '))
    return operation.startsWith('Subscription.')
      ? attemptSubscription(operation, credential)
      : attemptField(operation, credential);
  const [method = '', path = ''] = operation.split(' ');
  const controller = new AbortController();
  const response = await fetch(`${world.url}${concrete(path)}`, {
    method,
    headers: { ...bearer(credential), ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) },
    signal: controller.signal,
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const body = isStream ? {} : ((await response.json().catch(() => ({}))) as { error?: { code: string } });
  controller.abort();
  return { status: response.status, code: body.error?.code };
}

const concrete = (path: string) =>
  path.replace(':id', taskId).replace(':fileId', randomUUID()).replace(':workerId', 'w1');

async function attemptField(field: string, credential: string | undefined): Promise<Refusal> {
  const reply = await graphql(world.url, operationFor(field), { token: credential });
  return { status: undefined, code: reply.errors?.[0]?.extensions['code'] as string | undefined };
}

async function attemptSubscription(field: string, credential: string | undefined): Promise<Refusal> {
  const caller = {
    principal: await world.parts.authenticator.authenticate(
      credential === undefined ? {} : { authorization: `Bearer ${credential}` },
    ),
    rejection: null,
    ip: '127.0.0.1',
    userAgent: '',
    correlationId: 'test',
  };
  const result = await subscribe({
    schema: world.server.schema,
    document: parse(operationFor(field)),
    contextValue: { caller },
  });
  if (Symbol.asyncIterator in result) {
    await result.return(undefined);
    return { status: undefined, code: undefined };
  }
  return { status: undefined, code: result.errors?.[0]?.extensions['code'] as string | undefined };
}

function attemptSocket(path: string, credential: string | undefined): Promise<Refusal> {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}${concrete(path)}`, { headers: bearer(credential) });
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.close();
      resolve({ status: 101, code: undefined });
    });
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode, code: (JSON.parse(text) as { error: { code: string } }).error.code }),
      );
    });
    socket.once('error', reject);
  });
}

describe('the access table', () => {
  it('holds every root field, route and socket, and nothing else', () => {
    const { schema, routes } = world.server;
    const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    const sockets = Object.keys(accessTable).filter((operation) => operation.startsWith('WS '));
    // The CORS plugin's own route, which stands before the guard.
    expect([...fields, ...routes, ...sockets, 'OPTIONS *'].sort()).toEqual(Object.keys(accessTable).sort());
  });

  it('is documented, route for route', () => {
    const documented = Object.keys(routeDescriptions).sort();
    const served = Object.keys(accessTable).filter(
      (operation) => operation.includes(' ') && !operation.startsWith('OPTIONS'),
    );
    expect(documented).toEqual(served.sort());
  });
});

describe.each(members.map(([operation, access]) => ({ operation, access })))('$operation', ({ operation, access }) => {
  it('refuses who is not logged in', async () => {
    const { status, code } = await attempt(operation, undefined);
    expect(code).toBe('AUTH.NOT_LOGGED_IN');
    if (status !== undefined) expect(status).toBe(401);
  });

  it('refuses whoever has to change the password first, except for that', async () => {
    const { code } = await attempt(operation, await world.token({ mustChangePassword: true, role: 'admin' }));
    if (access.beforePasswordChange) expect(code).not.toBe('AUTH.PASSWORD_CHANGE_REQUIRED');
    else expect(code).toBe('AUTH.PASSWORD_CHANGE_REQUIRED');
  });

  if (access.scopes.length > 0 || access.sessionOnly) {
    it('refuses an API key without the scope, or any key where only a log-in will do', async () => {
      const others: Scope[] = (['tasks:read', 'tasks:write', 'workers:read', 'telemetry:read'] as const).filter(
        (scope) => !access.scopes.includes(scope),
      );
      const { code } = await attempt(operation, world.addApiKey(others));
      expect(code).toBe(access.sessionOnly ? 'AUTH.LOG_IN_REQUIRED' : 'AUTH.MISSING_SCOPE');
    });
  }

  if (!access.roles.includes('user')) {
    it('refuses users, and administrators whose key lacks the scope', async () => {
      expect((await attempt(operation, await world.token())).code).toBe('AUTH.FORBIDDEN');
      expect((await attempt(operation, world.addApiKey(['tasks:read'], world.user(OTHER_ID, 'admin')))).code).toBe(
        'AUTH.MISSING_SCOPE',
      );
    });
  }
});

/** Whatever names a task by its id. */
const ofOneTask = [
  'Query.task',
  'Query.taskLogs',
  'Mutation.cancelTask',
  'Mutation.retryTask',
  'Mutation.deleteTask',
  'Mutation.createDownloadTicket',
  'Subscription.task',
  'Subscription.taskLogs',
  ...Object.keys(accessTable).filter((operation) => operation.includes('/api/tasks/:id')),
];

describe.each(ofOneTask)('%s', (operation) => {
  it("hides another user's task", async () => {
    expect((await attempt(operation, await world.token())).code).not.toBe('TASK.NOT_FOUND');
    const { status, code } = await attempt(operation, await world.token({ userId: OTHER_ID }));
    expect(code).toBe('TASK.NOT_FOUND');
    if (status !== undefined) expect(status).toBe(404);
  });
});

describe("another user's measurements and numbers", () => {
  it('hides the series of a task', async () => {
    const query = `{ series(source: task, taskId: "${taskId}", metrics: ["cpu_percent"], from: 1, to: 2) { bucketSeconds } }`;
    expect((await graphql(world.url, query, { token: await world.token() })).data).toEqual({
      series: { bucketSeconds: 60 },
    });
    const refused = await graphql(world.url, query, { token: await world.token({ userId: OTHER_ID }) });
    expect(refused.errors?.[0]?.extensions['code']).toBe('TASK.NOT_FOUND');
  });

  it('shows the averages of the fleet to whoever may read measurements, and to nobody else', async () => {
    for (const source of ['fleet_host', 'fleet_gpu']) {
      const query = (target = '') =>
        `{ series(source: ${source}${target}, metrics: ["memory_used_mb"], from: 1, to: 2) { bucketSeconds } }`;
      expect((await graphql(world.url, query(), { token: await world.token({ userId: OTHER_ID }) })).data).toEqual({
        series: { bucketSeconds: 60 },
      });
      expect((await graphql(world.url, query())).errors?.[0]?.extensions['code']).toBe('AUTH.NOT_LOGGED_IN');
      const one = await graphql(world.url, query(', workerId: "w1"'), { token: await world.token() });
      expect(one.errors?.[0]?.extensions['code']).toBe('INPUT.INVALID');
    }
  });

  it('asks lists and numbers only for what the caller may see', async () => {
    for (const [token, expected] of [
      [await world.token({ userId: OTHER_ID }), OTHER_ID],
      [await world.token({ role: 'admin' }), null],
      [world.addApiKey(['tasks:read'], world.user(OTHER_ID, 'admin')), OTHER_ID],
    ] as const) {
      world.services.requests.length = 0;
      const reply = await graphql(world.url, '{ tasks { degraded } summary { total } }', { token });
      expect(reply.errors).toBeUndefined();
      const asked = world.services.requests.flatMap(({ input }) => {
        const { visibleTo } = input as { visibleTo?: string | null };
        return visibleTo === undefined ? [] : [visibleTo];
      });
      expect(new Set(asked)).toEqual(new Set([expected]));
    }
  });
});
