import { z } from 'zod';
import { accessOf } from '../security/authorisation.js';
import { schemas, type SchemaName } from './schemas.js';

export type JsonSchema = Record<string, unknown>;

/** One route, in the words of its reader. Who may call it comes from the access table. */
export interface RouteDescription {
  summary: string;
  /** Query parameters: name -> what it means and its schema. */
  query?: Readonly<Record<string, { description: string; schema?: JsonSchema; required?: boolean }>>;
  headers?: Readonly<Record<string, string>>;
  body?: z.ZodType;
  /** True: the body may be left out. */
  bodyOptional?: boolean;
  responses: Readonly<Record<number, { description: string; schema?: JsonSchema; mediaType?: string }>>;
  tag: 'auth' | 'tasks' | 'files' | 'workers' | 'telemetry' | 'live' | 'system';
}

export const ref = (name: SchemaName): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
export const listOf = (name: SchemaName): JsonSchema => ({ type: 'array', items: ref(name) });
export const objectOf = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});

const errorsOfAll = [400, 401, 403, 404, 409, 413, 429, 500, 503] as const;

/** The API document (OpenAPI 3.1) of the given routes; keys are `METHOD /path/:parameter`. */
export function openApiDocument(routes: Readonly<Record<string, RouteDescription>>, version: string): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [operation, route] of Object.entries(routes)) {
    const [method = '', path = ''] = operation.split(' ');
    const key = path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}');
    paths[key] = { ...paths[key], [method === 'WS' ? 'get' : method.toLowerCase()]: describe(operation, key, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gantry',
      version,
      description:
        'Runs containers on a pool of machines and GPUs. The same is served as GraphQL at /graphql, with subscriptions over WebSocket (graphql-transport-ws). Times are epoch milliseconds.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => [name, jsonSchema(schema, 'output')]),
      ),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token from log-in, or an API key (gtk_...).',
        },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
  };
}

export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;
  return rest;
}

function describe(operation: string, path: string, route: RouteDescription): JsonSchema {
  const access = accessOf(operation);
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...Object.entries(route.query ?? {}).map(([name, { description, schema, required }]) => ({
      name,
      in: 'query',
      description,
      required: required ?? false,
      schema: schema ?? { type: 'string' },
    })),
    ...Object.entries(route.headers ?? {}).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  const rights = access.kind === 'public' ? [] : access.scopes;
  const note =
    access.kind === 'public'
      ? ''
      : access.sessionOnly
        ? 'Needs a log-in; API keys are refused.'
        : rights.length > 0
          ? `API keys need: ${rights.join(', ')}.`
          : '';
  return {
    tags: [route.tag],
    summary: route.summary,
    ...(note === '' ? {} : { description: note }),
    security: access.kind === 'public' ? [] : [{ bearer: [] }, ...(access.sessionOnly ? [] : [{ apiKey: [] }])],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, response]) => [status, responseOf(response)]),
      ),
      ...Object.fromEntries(
        errorsOfAll
          .filter((status) => route.responses[status] === undefined)
          .map((status) => [status, errorResponse(status)]),
      ),
    },
  };
}

function responseOf({
  description,
  schema,
  mediaType = 'application/json',
}: RouteDescription['responses'][number]): JsonSchema {
  if (schema === undefined && mediaType === 'application/json') return { description };
  return { description, content: { [mediaType]: { schema: schema ?? { type: 'string' } } } };
}

const meaning: Readonly<Record<(typeof errorsOfAll)[number], string>> = {
  400: 'The input is wrong.',
  401: 'Not logged in, or the credentials are no longer good.',
  403: 'Not allowed.',
  404: 'Does not exist, or is not visible to the caller.',
  409: 'The state does not allow it.',
  413: 'Larger than 1 MB.',
  429: 'A limit is reached.',
  500: 'A defect.',
  503: 'A part is down; try again.',
};

function errorResponse(status: (typeof errorsOfAll)[number]): JsonSchema {
  return { description: meaning[status], content: { 'application/json': { schema: ref('Error') } } };
}
