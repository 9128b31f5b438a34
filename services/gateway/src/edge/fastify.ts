import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { HttpStatistics } from '../modules/system/http-statistics.js';
import { toHttpError } from './error-mapping.js';
import { CSRF_HEADER } from '../security/refresh-cookie.js';

const BODY_LIMIT_BYTES = 1_000_000;
const DAY_SECONDS = 86_400;

/** What differs from the defaults of helmet; a route may replace a header. */
const securityHeaders: FastifyHelmetOptions = {
  // Only the API page shows anything, so the policy fits that. The default one would upgrade plain http to https.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  // Pages of the allow-list live on another origin; CORS decides who may read.
  crossOriginResourcePolicy: { policy: 'cross-origin' },
};

export interface FastifyOptions {
  allowedOrigins: readonly string[];
  trustProxy: boolean;
  statistics: HttpStatistics;
}

/** The HTTP server with everything that holds for all routes; who may call what comes on top (`http-guard.ts`). */
export async function createFastify({
  allowedOrigins,
  trustProxy,
  statistics,
}: FastifyOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy,
    forceCloseConnections: true,
    // What fails before routing, such as a malformed path, meets no filter of ours.
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = toHttpError(error);
      void (reply as FastifyReply).code(status).type('application/json; charset=utf-8').send({ error: body });
    },
    routerOptions: {
      maxParamLength: 300,
      querystringParser: (text) => Object.fromEntries(grouped(new URLSearchParams(text))),
    },
  });
  void server.removeAllContentTypeParsers();
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients send the header with an empty body where a body is optional.
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  await server.register(cookie);
  await server.register(helmet, securityHeaders);
  await server.register(cors, {
    origin: [...allowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'x-api-key',
      'idempotency-key',
      'last-event-id',
      'range',
      'if-range',
      'traceparent',
      'x-request-id',
      CSRF_HEADER,
      'apollo-require-preflight',
    ],
    exposedHeaders: ['content-disposition', 'content-range', 'accept-ranges', 'etag', 'x-request-id', 'retry-after'],
    maxAge: DAY_SECONDS,
  });
  server.addHook('onResponse', async (request, reply) => {
    const isStream = String(reply.getHeader('content-type') ?? '').startsWith('text/event-stream');
    statistics.record(
      request.method,
      request.routeOptions.url ?? 'unknown',
      reply.statusCode,
      isStream ? undefined : reply.elapsedTime,
    );
  });
  return server;
}

function grouped(parameters: URLSearchParams): [string, string | string[]][] {
  return [...new Set(parameters.keys())].map((name) => {
    const values = parameters.getAll(name);
    return [name, values.length === 1 ? (values[0] ?? '') : values];
  });
}
