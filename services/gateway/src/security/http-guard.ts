import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GantryError } from '@gantry/kernel/gantry-error';
import { accessOf } from './authorisation.js';
import type { Authenticator, Credentials } from './authenticator.js';
import type { Caller } from './caller.js';
import type { DownloadTickets } from './download-ticket.js';
import type { Gate } from './gate.js';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const CORRELATION_ID = /^[\w.:-]{1,100}$/;

/** Who is calling, from headers; a rejection is kept, not thrown (see `Caller`). */
export async function identify(
  authenticator: Authenticator,
  credentials: Credentials,
  from: { ip: string; headers: Readonly<Record<string, string | string[] | undefined>> },
): Promise<Caller> {
  const text = (name: string): string | undefined => {
    const value = from.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const traceparent = text('traceparent');
  const requestId = text('x-request-id');
  const caller: Caller = {
    principal: null,
    rejection: null,
    ip: from.ip.slice(0, 64),
    userAgent: (text('user-agent') ?? '').slice(0, 500),
    correlationId: requestId !== undefined && CORRELATION_ID.test(requestId) ? requestId : randomUUID(),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
  try {
    caller.principal = await authenticator.authenticate(credentials);
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    caller.rejection = error;
  }
  return caller;
}

export interface HttpGuard {
  /** `METHOD /path` of every registered route, for tests and the API document. */
  readonly routes: ReadonlySet<string>;
}

/** HEAD is served wherever GET is and needs the same right. */
const operationOf = (method: string, url: string): string => `${method === 'HEAD' ? 'GET' : method} ${url}`;

/**
 * Authenticates each HTTP request and passes it through the gate, before its body is read. Every route is looked up when it
 * is registered, so a forgotten one fails the boot and can never be open by accident.
 */
export function guardHttp(
  fastify: FastifyInstance,
  authenticator: Authenticator,
  tickets: DownloadTickets,
  gate: Gate,
): HttpGuard {
  const routes = new Set<string>();
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of Array.isArray(method) ? method : [method]) {
      const operation = operationOf(one, url);
      accessOf(operation);
      routes.add(operation);
    }
  });
  fastify.decorateRequest('caller', null as unknown as Caller);
  fastify.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const { headers } = request;
    refuseMalformedHost(request);
    request.caller = await identify(
      authenticator,
      {
        authorization: headers.authorization,
        apiKey: typeof headers['x-api-key'] === 'string' ? headers['x-api-key'] : undefined,
      },
      { ip: request.ip, headers },
    );
    reply.header('x-request-id', request.caller.correlationId);
    const url = request.routeOptions.url;
    if (url === undefined) return;
    redeemTicket(request, tickets);
    await gate.passOperation(operationOf(request.method, url), request.caller);
  });
  return { routes };
}

/** Routes that build absolute URLs from it would fail later, as a defect of ours. */
function refuseMalformedHost(request: FastifyRequest): void {
  const { host } = request.headers;
  if (host === undefined || host === '' || URL.canParse(`http://${host}/`)) return;
  throw new GantryError('INPUT.MALFORMED', 'invalid', 'The Host header is malformed.');
}

/** Only reading takes tickets; everywhere else the parameter means nothing. */
function redeemTicket(request: FastifyRequest, tickets: DownloadTickets): void {
  const ticket = (request.query as Record<string, unknown> | undefined)?.['ticket'];
  if (typeof ticket !== 'string' || (request.method !== 'GET' && request.method !== 'HEAD')) return;
  if (request.caller.principal !== null) return;
  try {
    request.caller.principal = tickets.redeem(ticket, request.url.split('?')[0] ?? '');
  } catch (error) {
    request.caller.rejection =
      error instanceof GantryError
        ? error
        : new GantryError(
            'AUTH.TICKET_INVALID',
            'unauthenticated',
            'The download link is not valid. Ask for a new one.',
            { cause: error },
          );
  }
}
