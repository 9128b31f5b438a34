import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { GantryError } from '@gantry/kernel/gantry-error';
import { meDocument } from './operations/auth.operations.js';
import { Transport } from './transport.js';

/** A real HTTP server on loopback that answers each request with the next of `answers`. */
async function serve(answers: { status: number; body: unknown }[]) {
  const seen: { authorization: string | undefined; body: string }[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen.push({ authorization: request.headers.authorization, body });
      const answer = answers[Math.min(seen.length, answers.length) - 1];
      response
        .writeHead(answer?.status ?? 500, { 'content-type': 'application/json' })
        .end(JSON.stringify(answer?.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close: () => server.close() };
}

const me = { id: '1', email: 'ada@example.org', name: 'Ada', role: 'user', mustChangePassword: false };
const failure = (extensions: object) => ({ errors: [{ message: 'Do this next.', extensions }] });

describe('transport', () => {
  let server: Awaited<ReturnType<typeof serve>> | undefined;
  afterEach(() => server?.close());

  it('sends the credentials and gives the data', async () => {
    server = await serve([{ status: 200, body: { data: { me } } }]);
    const transport = new Transport(server.url, () => 'gtk_a_b');
    expect(await transport.execute(meDocument, {})).toEqual({ me });
    expect(server.seen[0]?.authorization).toBe('Bearer gtk_a_b');
  });

  it('gives the error of the server with code, kind and fields', async () => {
    const fields = [{ path: 'spec.name', message: 'Give the task a name.' }];
    server = await serve([{ status: 200, body: failure({ code: 'INPUT.INVALID', kind: 'invalid', fields }) }]);
    const error = await new Transport(server.url, () => undefined)
      .execute(meDocument, {})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GantryError);
    expect(error).toMatchObject({ code: 'INPUT.INVALID', kind: 'invalid', message: 'Do this next.', fields });
  });

  it('repeats a repeatable operation when the server says that this may help, and only then', async () => {
    const unavailable = {
      status: 200,
      body: failure({ code: 'SERVICE.UNAVAILABLE', kind: 'unavailable', retryable: true }),
    };
    server = await serve([unavailable, { status: 200, body: { data: { me } } }]);
    const transport = new Transport(server.url, () => undefined);
    expect(await transport.execute(meDocument, {}, { repeatable: true })).toEqual({ me });
    expect(server.seen).toHaveLength(2);
    server.close();
    server = await serve([unavailable]);
    await expect(new Transport(server.url, () => undefined).execute(meDocument, {})).rejects.toMatchObject({
      code: 'SERVICE.UNAVAILABLE',
    });
    expect(server.seen).toHaveLength(1);
  });

  it('goes on to the next address, and stays there', async () => {
    server = await serve([{ status: 200, body: { data: { me } } }]);
    const gone = await serve([]);
    gone.close();
    const transport = new Transport(`${gone.url},${server.url}`, () => undefined);
    // Not repeatable, but nobody can have done it.
    expect(await transport.execute(meDocument, {})).toEqual({ me });
    expect(await transport.execute(meDocument, {})).toEqual({ me });
    expect(transport.endpoints.url.origin).toBe(server.url);
  });

  it('repeats a query that a balancer or an ending gateway did not serve, but nothing that may have been done', async () => {
    const refused = { status: 503, body: { error: 'Service Unavailable' } };
    server = await serve([refused, { status: 200, body: { data: { me } } }]);
    const transport = new Transport(server.url, () => undefined);
    expect(await transport.execute(meDocument, {}, { repeatable: true })).toEqual({ me });
    server.close();
    server = await serve([refused]);
    await expect(new Transport(server.url, () => undefined).execute(meDocument, {})).rejects.toMatchObject({
      code: 'CLIENT.BAD_ANSWER',
      retryable: true,
    });
    expect(server.seen).toHaveLength(1);
  });

  it('takes a broken answer for a broken connection', async () => {
    let seen = 0;
    const breaking = http.createServer((_, response) => {
      seen += 1;
      if (seen > 1) return void response.end(JSON.stringify({ data: { me } }));
      response.writeHead(200, { 'content-length': 1_000 }).write('{"data":');
      setImmediate(() => response.destroy());
    });
    await new Promise<void>((resolve) => breaking.listen(0, '127.0.0.1', resolve));
    try {
      const transport = new Transport(`http://127.0.0.1:${(breaking.address() as AddressInfo).port}`, () => undefined);
      await expect(transport.execute(meDocument, {})).rejects.toMatchObject({ code: 'CLIENT.UNREACHABLE' });
      expect(await transport.execute(meDocument, {}, { repeatable: true })).toEqual({ me });
    } finally {
      breaking.close();
    }
  });

  it('refuses an address that is none', () => {
    expect(() => new Transport('http://localhost:4000,nowhere', () => undefined)).toThrow(/is no address/);
  });

  it('says where nobody answers', async () => {
    server = await serve([]);
    const { url } = server;
    server.close();
    await expect(new Transport(url, () => undefined).execute(meDocument, {})).rejects.toMatchObject({
      code: 'CLIENT.UNREACHABLE',
      retryable: true,
    });
  });

  it('turns a REST status into an error', async () => {
    server = await serve([
      { status: 404, body: { error: { code: 'TASK.NOT_FOUND', message: 'There is no such task.' } } },
    ]);
    await expect(new Transport(server.url, () => undefined).fetch('/api/tasks/x')).rejects.toMatchObject({
      code: 'TASK.NOT_FOUND',
      kind: 'not_found',
    });
  });
});
