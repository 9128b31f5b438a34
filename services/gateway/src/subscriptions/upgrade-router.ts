import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import { toHttpError } from '../edge/error-mapping.js';
import { accessOf } from '../security/authorisation.js';
import type { Authenticator, Credentials } from '../security/authenticator.js';
import { principalOf, type Caller } from '../security/caller.js';
import type { ConnectionLifetimes } from '../security/connection-lifetime.js';
import type { Gate } from '../security/gate.js';
import { identify } from '../security/http-guard.js';
import type { StreamSlots } from './stream-slots.js';

/** A raw stream: what it throws before the first message becomes an HTTP error, later an error message. */
export interface SocketRoute {
  /** As in the access table, e.g. `/api/tasks/:id/stream`. */
  path: string;
  open(
    parameters: Readonly<Record<string, string>>,
    query: URLSearchParams,
    caller: Caller,
  ): Promise<(signal: AbortSignal) => AsyncGenerator<unknown>>;
}

export interface UpgradeRouterParts {
  routes: readonly SocketRoute[];
  graphql: WebSocketServer;
  authenticator: Authenticator;
  lifetimes: ConnectionLifetimes;
  gate: Gate;
  slots: StreamSlots;
  allowedOrigins: readonly string[];
  ipOf: (request: IncomingMessage) => string;
  logger: Logger;
}

/** Browsers cannot set headers on a WebSocket; they offer this protocol and, as a second one, `gantry.bearer.<token>`. */
export const STREAM_PROTOCOL = 'gantry.v1';
const BEARER_PROTOCOL = 'gantry.bearer.';
/** Sent when the credentials end, like graphql-ws does. */
const CLOSE_EXPIRED = 4403;

/** Takes every WebSocket upgrade of the HTTP server: GraphQL, or one of the raw streams. */
export class UpgradeRouter {
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: 64 * 1024,
    handleProtocols: (offered) => (offered.has(STREAM_PROTOCOL) ? STREAM_PROTOCOL : false),
  });

  constructor(private readonly parts: UpgradeRouterParts) {
    for (const { path } of parts.routes) accessOf(`WS ${path}`);
  }

  attach(http: Server): void {
    http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      this.route(request, socket, head).catch((error: unknown) => {
        const { status, body } = toHttpError(error);
        if (status >= 500) this.parts.logger.warn({ err: error }, 'upgrade refused');
        refuse(socket, status, JSON.stringify({ error: body }));
      });
    });
  }

  close(): void {
    for (const client of this.server.clients) client.close(1001, 'Going away');
    this.server.close();
  }

  private async route(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { graphql, slots, allowedOrigins } = this.parts;
    if (!isKnownOrigin(request, allowedOrigins)) {
      throw new GantryError('AUTH.CROSS_SITE', 'forbidden', 'This page is not known. Add it to GANTRY_WEB_ORIGINS.');
    }
    const url = parseUrl(request.url);
    if (url.pathname === '/graphql') {
      socket.once('close', slots.take());
      graphql.handleUpgrade(request, socket, head, (client) => graphql.emit('connection', client, request));
      return;
    }
    await this.openStream(url, request, socket, head);
  }

  private async openStream(url: URL, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { routes, authenticator, lifetimes, gate, slots, ipOf } = this.parts;
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    socket.once('close', slots.take());
    const found = match(routes, url.pathname);
    if (found === undefined)
      throw new GantryError('HTTP.NO_SUCH_ROUTE', 'not_found', 'There is no such stream; see /api/docs.');
    const credentials = credentialsOf(request);
    const caller = await identify(authenticator, credentials, { ip: ipOf(request), headers: request.headers });
    await gate.passOperation(`WS ${found.route.path}`, caller);
    const open = await found.route.open(found.parameters, url.searchParams, caller);
    const lifetime = lifetimes.watch(principalOf(caller), credentials);
    gone.signal.addEventListener('abort', () => lifetime.end(), { once: true });
    // Opened before the handshake: whatever happens to the socket from here on ends it.
    const source = open(AbortSignal.any([gone.signal, lifetime.signal]));
    this.server.handleUpgrade(request, socket, head, (client) => {
      void this.pump(client, source, lifetime.signal);
    });
  }

  private async pump(client: WebSocket, source: AsyncGenerator<unknown>, expired: AbortSignal): Promise<void> {
    client.on('error', () => client.terminate());
    const stopPing = keepAlive(client);
    try {
      for await (const message of source) await send(client, message);
    } catch (error) {
      const { status, body } = toHttpError(error);
      if (status >= 500 && body.kind === 'internal') this.parts.logger.error({ err: error }, 'stream failed');
      await send(client, { type: 'error', error: body });
    } finally {
      stopPing();
      if (expired.aborted) client.close(CLOSE_EXPIRED, 'AUTH.TOKEN_EXPIRED');
      else client.close(1000);
    }
  }
}

/** Resolves when the message left this process, so that a slow client slows its own source and nothing piles up. */
function send(client: WebSocket, message: unknown): Promise<void> {
  return new Promise((resolve) => {
    if (client.readyState !== client.OPEN) resolve();
    else client.send(JSON.stringify(message), () => resolve());
  });
}

function keepAlive(client: WebSocket): () => void {
  let answered = true;
  client.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) return client.terminate();
    answered = false;
    client.ping();
  }, 15_000).unref();
  return () => clearInterval(timer);
}

function match(
  routes: readonly SocketRoute[],
  pathname: string,
): { route: SocketRoute; parameters: Record<string, string> } | undefined {
  const given = pathname.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (wanted.length !== given.length) continue;
    const parameters: Record<string, string> = {};
    const fits = wanted.every((part, index) => {
      const value = given[index] ?? '';
      if (!part.startsWith(':')) return part === value;
      if (value !== '') parameters[part.slice(1)] = decode(value);
      return value !== '';
    });
    if (fits) return { route, parameters };
  }
  return undefined;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new GantryError('INPUT.MALFORMED', 'invalid', 'The path is malformed.');
  }
}

function parseUrl(url: string | undefined): URL {
  const parsed = URL.canParse(url ?? '/', 'http://gateway') ? new URL(url ?? '/', 'http://gateway') : undefined;
  if (parsed === undefined) throw new GantryError('INPUT.MALFORMED', 'invalid', 'The path is malformed.');
  return parsed;
}

/** Programs send no Origin; a page must be one of ours, or served from this very host. */
function isKnownOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function credentialsOf(request: IncomingMessage): Credentials {
  const { authorization } = request.headers;
  const apiKey = request.headers['x-api-key'];
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const bearer = offered.find((protocol) => protocol.startsWith(BEARER_PROTOCOL))?.slice(BEARER_PROTOCOL.length);
  const header = authorization ?? (bearer === undefined ? undefined : `Bearer ${bearer}`);
  return {
    ...(header === undefined ? {} : { authorization: header }),
    ...(typeof apiKey === 'string' ? { apiKey } : {}),
  };
}

function refuse(socket: Duplex, status: number, body: string): void {
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  setTimeout(() => socket.destroy(), 1_000).unref();
}
