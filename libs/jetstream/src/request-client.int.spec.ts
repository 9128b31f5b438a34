import { defineRequest, type RequestContext } from '@gantry/contracts/messaging/request';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectNats } from './connect.js';
import { ConnectionState } from './connection-state.js';
import { RequestClient } from './request-client.js';
import { freePort } from './testing/free-port.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';

const ask = defineRequest({ subject: 'query.test.ask', input: z.object({}), output: z.object({}), timeoutMs: 20_000 });
const context: RequestContext = { actor: { kind: 'anonymous' }, correlationId: 'c' };
const unavailable = { code: 'SERVICE.UNAVAILABLE', kind: 'unavailable', retryable: true };

describe('a request without a broker', () => {
  let port: number;
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let client: RequestClient;

  beforeEach(async () => {
    port = await freePort();
    server = await startNatsServer({ port });
    nc = await connectNats({ url: server.url, name: 'caller' });
    client = new RequestClient(nc);
  });

  afterEach(async () => {
    await nc.close();
    await server.stop();
  });

  it('fails as soon as the connection breaks under it, not at its deadline', async () => {
    const began = performance.now();
    // Somebody has it and does not answer.
    nc.subscribe(ask.subject, { callback: () => void server.stop() });
    await expect(client.request(ask, {}, context)).rejects.toMatchObject(unavailable);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('waits a moment for the broker to come back, and then says that it is away', async () => {
    nc.subscribe(ask.subject, { callback: (_, message) => void message.respond('{}') });
    await server.stop();
    await expect.poll(() => ConnectionState.of(nc).connected).toBe(false);
    const began = performance.now();
    await expect(client.request(ask, {}, context)).rejects.toMatchObject(unavailable);
    expect(performance.now() - began).toBeLessThan(5_000);
    server = await startNatsServer({ port });
    await expect.poll(() => client.request(ask, {}, context), { timeout: 10_000 }).toEqual({});
  });
});
