import { defineRequest, getHealth, type RequestContext } from '@gantry/contracts/messaging/request';
import { streams } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import type { HealthState } from '@gantry/nest-platform/health';
import { createLogger } from '@gantry/nest-platform/logger';
import type { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import { HEALTH } from '@gantry/nest-platform/tokens';
import { Controller, Inject, Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectNats } from '../connect.js';
import { RequestClient } from '../request-client.js';
import { type NatsServerFixture, startNatsServer } from '../testing/nats-server.fixture.js';
import { HandleRequest, type InboundRequest } from './decorators.js';
import { RequestResponder } from './request-responder.js';
import { type RunningService, startService } from './start-service.js';

const greet = defineRequest({
  subject: 'query.greeter.greet',
  input: z.strictObject({ name: z.string().min(1, 'Say who you are.'), times: z.int().default(1) }),
  output: z.object({ greetings: z.array(z.string()), caller: z.string(), traced: z.string().nullable() }),
});
const refuse = defineRequest({ subject: 'cmd.greeter.refuse', input: z.object({}), output: z.object({}) });
const crash = defineRequest({ subject: 'cmd.greeter.crash', input: z.object({}), output: z.object({}) });
const meet = defineRequest({
  subject: 'cmd.greeter.meet',
  input: z.object({}),
  output: z.object({ together: z.int() }),
  timeoutMs: 3_000,
});
const put = (worker: string) =>
  defineRequest({
    subject: `upload.${worker}.put`,
    input: z.strictObject({ offset: z.int() }),
    output: z.object({ worker: z.string(), bytes: z.int(), offset: z.int() }),
    inputBytes: true,
  });
const read = defineRequest({
  subject: 'query.greeter.read',
  input: z.object({ length: z.int() }),
  output: z.object({}),
  outputBytes: true,
});
const wrong = defineRequest({
  subject: 'query.greeter.wrong',
  input: z.object({}),
  output: z.object({ number: z.int() }),
});
const absent = defineRequest({ subject: 'query.nobody.home', input: z.object({}), output: z.object({}) });
const slow = defineRequest({ subject: 'query.greeter.slow', input: z.object({}), output: z.object({}), timeoutMs: 50 });

const context: RequestContext = {
  actor: { kind: 'user', id: 'u-1', name: 'Anna Łęcka 李', role: 'user' },
  correlationId: 'c-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

@Controller()
class GreeterRequests {
  private meeting: (() => void)[] = [];

  constructor(@Inject(HEALTH) private readonly health: HealthState) {
    this.health.set('greeter', 'healthy');
  }

  @HandleRequest(greet)
  async greet(input: { name: string; times: number }, request: InboundRequest) {
    await Promise.resolve();
    const { actor, traceparent } = request.context;
    return {
      greetings: Array.from({ length: input.times }, () => `Hello ${input.name}`),
      caller: actor.kind === 'user' ? actor.name : actor.kind,
      traced: traceparent ?? null,
    };
  }

  @HandleRequest(refuse)
  refuse(): Promise<Record<string, never>> {
    throw new GantryError('GREETER.CLOSED', 'conflict', 'Come back tomorrow.', {
      fields: [{ path: 'day', message: 'not today' }],
    });
  }

  @HandleRequest(crash)
  crash(): Promise<Record<string, never>> {
    throw new TypeError('secret detail');
  }

  /** Answers nobody before two have asked. */
  @HandleRequest(meet)
  async meet() {
    await new Promise<void>((resolve) => {
      this.meeting.push(resolve);
      if (this.meeting.length === 2) for (const release of this.meeting) release();
    });
    return { together: this.meeting.length };
  }

  @HandleRequest(put('*'))
  put(input: { offset: number }, request: InboundRequest) {
    return Promise.resolve({ worker: request.subject, bytes: request.bytes?.length ?? -1, offset: input.offset });
  }

  @HandleRequest(read)
  read({ length }: { length: number }) {
    return Promise.resolve(new Uint8Array(length).fill(7));
  }

  @HandleRequest(wrong)
  wrong() {
    return Promise.resolve({ number: 'many' } as unknown as { number: number });
  }

  @HandleRequest(slow)
  async slow() {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return {};
  }
}

@Module({ controllers: [GreeterRequests] })
class GreeterModule {}

let server: NatsServerFixture;
let service: RunningService;
let nc: NatsConnection;
let client: RequestClient;

beforeAll(async () => {
  server = await startNatsServer();
  service = await startService({
    name: 'greeter',
    module: GreeterModule,
    environment: readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' }),
  });
  nc = await connectNats({ url: server.url, name: 'caller' });
  client = new RequestClient(nc);
});

afterAll(async () => {
  await nc.close();
  await service.stop();
  await server.stop();
});

describe('requests', () => {
  it('parses the input, passes the context on and answers', async () => {
    expect(await client.request(greet, { name: 'Bo' }, context)).toEqual({
      greetings: ['Hello Bo'],
      caller: 'Anna Łęcka 李',
      traced: context.traceparent,
    });
  });

  it('answers wrong input with the fields and what would be right', async () => {
    await expect(client.request(greet, { name: '' }, context)).rejects.toMatchObject({
      code: 'INPUT.INVALID',
      kind: 'invalid',
      retryable: false,
      fields: [{ path: 'name', message: 'Say who you are.' }],
    });
    await expect(client.request(greet, { name: 'x', nam: 1 } as never, context)).rejects.toMatchObject({
      code: 'INPUT.INVALID',
    });
  });

  it('answers a body that is not JSON, and a context that is none', async () => {
    const reply = await nc.request(greet.subject, 'not json');
    expect(reply.headers?.get('gantry-status')).toBe('error');
    expect(reply.json()).toMatchObject({ code: 'INPUT.INVALID' });
    await expect(client.request(greet, { name: 'x' }, { actor: 'me' } as never)).rejects.toMatchObject({
      code: 'CONTEXT.INVALID',
    });
  });

  it('treats a bare request as anonymous', async () => {
    const reply = await nc.request(greet.subject, JSON.stringify({ name: 'x' }));
    expect(reply.json()).toMatchObject({ caller: 'anonymous' });
  });

  it('passes coded errors on as they are', async () => {
    const refused = client.request(refuse, {}, context);
    await expect(refused).rejects.toBeInstanceOf(GantryError);
    await expect(refused).rejects.toMatchObject({
      code: 'GREETER.CLOSED',
      kind: 'conflict',
      message: 'Come back tomorrow.',
      fields: [{ path: 'day', message: 'not today' }],
    });
  });

  it('hides what a stranger threw', async () => {
    const crashed = client.request(crash, {}, context).catch((error: unknown) => error);
    expect(await crashed).toMatchObject({ code: 'INTERNAL', kind: 'internal' });
    expect(String(await crashed)).not.toContain('secret detail');
  });

  it('logs a failure with the ids by which the request is found elsewhere', async () => {
    const lines: string[] = [];
    const logger = createLogger('greeter', {
      ...{ level: 'info', format: 'json' as const },
      destination: { write: (line) => void lines.push(line) },
    });
    const broken = defineRequest({ subject: 'cmd.greeter.broken', input: z.object({}), output: z.object({}) });
    const handler = (): Promise<never> => Promise.reject(new TypeError('no such thing'));
    const metrics = { request: () => undefined } as unknown as MessagingMetrics;
    const responder = new RequestResponder(nc, 'greeter', broken, handler, logger, metrics);
    try {
      await expect(client.request(broken, {}, context)).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        {
          ...{ level: 'error', msg: 'request failed', subject: broken.subject, err: { message: 'no such thing' } },
          ...{ correlationId: 'c-1', traceId: '0af7651916cd43dd8448eb211c80319c' },
        },
      ]);
    } finally {
      await responder.stop();
    }
  });

  it('runs requests side by side', async () => {
    const answers = await Promise.all([client.request(meet, {}, context), client.request(meet, {}, context)]);
    expect(answers).toEqual([{ together: 2 }, { together: 2 }]);
  });

  it('takes raw bytes with the input beside them, on a wildcard subject', async () => {
    const bytes = new Uint8Array(200_000);
    expect(await client.sendBytes(put('w-1'), { offset: 5 }, bytes, context)).toEqual({
      worker: 'upload.w-1.put',
      bytes: 200_000,
      offset: 5,
    });
  });

  it('answers raw bytes, and says so when they are too many', async () => {
    expect(await client.requestBytes(read, { length: 3 }, context)).toEqual(new Uint8Array([7, 7, 7]));
    await expect(client.requestBytes(read, { length: 2_000_000 }, context)).rejects.toMatchObject({
      code: 'REPLY.TOO_LARGE',
      kind: 'limit',
    });
  });

  it('turns silence, absence and nonsense into errors that say what to do', async () => {
    await expect(client.request(absent, {}, context)).rejects.toMatchObject({
      code: 'SERVICE.UNAVAILABLE',
      retryable: true,
    });
    await expect(client.request(slow, {}, context)).rejects.toMatchObject({
      code: 'SERVICE.UNAVAILABLE',
      kind: 'unavailable',
    });
    await expect(client.request(wrong, {}, context)).rejects.toMatchObject({ code: 'SERVICE.BAD_REPLY' });
  });

  it('answers health with the worst of its parts', async () => {
    expect(await client.request(getHealth('greeter'), {}, context)).toMatchObject({
      service: 'greeter',
      status: 'healthy',
      reasons: [],
    });
    service.health.set('disk', 'degraded', 'nearly full');
    expect(await client.request(getHealth('greeter'), {}, context)).toMatchObject({
      status: 'degraded',
      reasons: ['disk: nearly full'],
    });
    service.health.set('greeter', 'unhealthy', 'lost its voice');
    expect(await client.request(getHealth('greeter'), {}, context)).toMatchObject({ status: 'unhealthy' });
    service.health.set('disk', 'healthy');
    service.health.set('greeter', 'healthy');
  });

  it('measures requests by contract and outcome', async () => {
    const text = await service.registry.metrics();
    expect(text).toMatch(
      /gantry_request_seconds_count\{[^}]*subject="cmd.greeter.refuse"[^}]*outcome="GREETER.CLOSED"[^}]*\} [1-9]/,
    );
  });

  it('does not make streams that nobody consumes', async () => {
    expect(streams.dlq.name).toBe('DLQ');
    const { manager } = await import('../stream-admin.js');
    const names = await (await manager(nc)).streams.names().next();
    expect(names).toEqual([]);
  });

  it('finishes the request in hand when it stops', async () => {
    const other = await startService({
      name: 'leaver',
      module: LeaverModule,
      environment: readBaseEnvironment({ NATS_URL: server.url, LOG_LEVEL: 'silent' }),
    });
    const answer = client.request(linger, {}, context);
    await started;
    await other.stop();
    expect(await answer).toEqual({ finished: true });
    expect(other.nc.isClosed()).toBe(true);
  });
});

const linger = defineRequest({
  subject: 'cmd.leaver.linger',
  input: z.object({}),
  output: z.object({ finished: z.boolean() }),
});
let begin: () => void = () => undefined;
const started = new Promise<void>((resolve) => {
  begin = resolve;
});

@Controller()
class LeaverRequests {
  @HandleRequest(linger)
  async linger() {
    begin();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { finished: true };
  }
}

@Module({ controllers: [LeaverRequests] })
class LeaverModule {}
