import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '@gantry/nest-platform/logger';
import { TooManyRequestsError } from '../security/too-many-requests.error.js';
import { isDefect, toHttpError } from './error-mapping.js';

/** The one place where a failed HTTP request becomes a reply. GraphQL resolvers have theirs in `guarded-schema.ts`. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType<'http' | 'graphql'>() === 'graphql') throw thrown;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { status, body } = toHttpError(thrown);
    if (isDefect(thrown))
      this.logger.error({ err: thrown, method: request.method, route: request.routeOptions?.url }, 'request failed');
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    void reply.removeHeader('content-length').removeHeader('content-disposition').removeHeader('etag');
    if (status === 429) {
      void reply.header('retry-after', thrown instanceof TooManyRequestsError ? thrown.retryAfterSeconds : 1);
    }
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    const isGraphql = request.url.split('?')[0] === '/graphql';
    const { message, ...extensions } = body;
    void reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(isGraphql ? { errors: [{ message, extensions }] } : { error: body });
  }
}
