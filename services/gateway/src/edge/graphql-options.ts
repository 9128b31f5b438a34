import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { unwrapResolverError } from '@apollo/server/errors';
import { GraphQLError } from 'graphql';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '@gantry/nest-platform/logger';
import type { Gate } from '../security/gate.js';
import { limitRule } from '../security/graphql-limits.js';
import { guardSchema } from '../security/guarded-schema.js';
import { MAX_TOKENS } from '../subscriptions/graphql-socket.js';
import { toGraphqlError, withKind } from './error-mapping.js';
import { jsonScalar, timeScalar } from './scalars.js';

/** What Apollo's own plugin would say, which looks for cache hints at every field of every answer to say it. */
const neverCached: ApolloServerPlugin = {
  requestDidStart: () =>
    Promise.resolve({
      willSendResponse: ({ response }) => {
        response.http.headers.set('cache-control', 'no-store');
        return Promise.resolve();
      },
    }),
};

/** GraphQL over HTTP. Subscriptions are served by `graphql-socket.ts` on the same schema. */
export function graphqlOptions(schemaPath: string, gate: Gate, logger: Logger): ApolloDriverConfig {
  return {
    driver: ApolloDriver,
    path: '/graphql',
    typePaths: [schemaPath],
    resolvers: { Time: timeScalar, JSON: jsonScalar },
    transformSchema: (schema) => guardSchema(schema, gate, logger),
    context: (request: FastifyRequest, reply: FastifyReply) => ({
      caller: request.caller,
      exchange: { request, reply },
    }),
    validationRules: [limitRule()],
    parseOptions: { maxTokens: MAX_TOKENS },
    introspection: true,
    graphiql: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    persistedQueries: false,
    plugins: [ApolloServerPluginCacheControlDisabled(), neverCached],
    formatError: (formatted, thrown) => {
      const original = unwrapResolverError(thrown);
      const cause = original instanceof GraphQLError ? original : undefined;
      const known =
        cause?.extensions['kind'] === undefined && formatted.extensions?.['code'] === 'INTERNAL_SERVER_ERROR'
          ? toGraphqlError(original)
          : undefined;
      return {
        ...formatted,
        ...(known === undefined ? {} : { message: known.message }),
        extensions: withKind(known?.extensions ?? formatted.extensions),
      };
    },
  };
}
