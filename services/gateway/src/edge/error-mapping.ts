import { GraphQLError } from 'graphql';
import { GantryError, type ErrorBody, type ErrorKind } from '@gantry/kernel/gantry-error';

/** The one place where kinds of errors become HTTP statuses. */
export const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  limit: 429,
  unavailable: 503,
  internal: 500,
};

const kindOfStatus = new Map<number, ErrorKind>([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [409, 'conflict'],
  [413, 'limit'],
  [429, 'limit'],
  [503, 'unavailable'],
]);

const codeOfStatus = new Map<number, string>([
  [400, 'INPUT.MALFORMED'],
  [404, 'HTTP.NO_SUCH_ROUTE'],
  [405, 'HTTP.METHOD_NOT_ALLOWED'],
  [413, 'INPUT.TOO_LARGE'],
  [414, 'INPUT.TOO_LARGE'],
  [415, 'INPUT.UNSUPPORTED_MEDIA_TYPE'],
  [431, 'INPUT.TOO_LARGE'],
]);

const messageOfStatus = new Map<number, string>([
  [404, 'There is no such route; see /api/docs.'],
  [413, 'The request is too large; at most 1 MB is accepted.'],
  [415, 'Send JSON with the header content-type: application/json.'],
]);

export interface HttpError {
  status: number;
  body: ErrorBody;
}

/** Anything thrown while a request is served. Client mistakes that the HTTP layer found keep their status; the unknown becomes 500. */
export function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof GantryError) return { status: statusOfKind[thrown.kind], body: thrown.toBody() };
  const status = clientErrorStatus(thrown);
  if (status === undefined) return { status: 500, body: GantryError.bodyOf(thrown) };
  const message = messageOfStatus.get(status) ?? (thrown instanceof Error ? thrown.message : 'The request is wrong.');
  return {
    status,
    body: {
      code: codeOfStatus.get(status) ?? 'INPUT.REFUSED',
      kind: kindOfStatus.get(status) ?? 'invalid',
      message,
      retryable: status === 429,
    },
  };
}

/** 4xx of a Nest `HttpException` (`getStatus`) or a Fastify error (`statusCode`). */
function clientErrorStatus(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const status =
    'getStatus' in thrown && typeof thrown.getStatus === 'function'
      ? (thrown as { getStatus(): unknown }).getStatus()
      : 'statusCode' in thrown
        ? thrown.statusCode
        : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

export function toGraphqlError(thrown: unknown): GraphQLError {
  if (thrown instanceof GraphQLError && thrown.originalError === undefined) return thrown;
  const cause = thrown instanceof GraphQLError ? thrown.originalError : thrown;
  const { message, ...extensions } = GantryError.bodyOf(cause);
  return new GraphQLError(message, { extensions, ...(cause instanceof Error ? { originalError: cause } : {}) });
}

/** Errors of the GraphQL layer itself (parsing, validation, variables) get the same `extensions` as ours. */
export function withKind(extensions: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  // Whoever reports a validation error cannot choose `code`: the HTTP layer overwrites it.
  const given = extensions?.['exactCode'] ?? extensions?.['code'];
  const code = typeof given === 'string' ? given : 'GRAPHQL_VALIDATION_FAILED';
  const internal = code === 'INTERNAL_SERVER_ERROR';
  return {
    code: internal ? 'INTERNAL' : code,
    kind: extensions?.['kind'] ?? (internal ? 'internal' : 'invalid'),
    retryable: extensions?.['retryable'] ?? false,
    ...(extensions?.['fields'] === undefined ? {} : { fields: extensions['fields'] }),
  };
}

export function isDefect(thrown: unknown): boolean {
  return toHttpError(thrown).status >= 500 && !(thrown instanceof GantryError && thrown.kind !== 'internal');
}
