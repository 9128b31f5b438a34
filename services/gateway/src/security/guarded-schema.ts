import { defaultFieldResolver, GraphQLObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Logger } from '@gantry/nest-platform/logger';
import { isDefect, toGraphqlError } from '../edge/error-mapping.js';
import { accessOf } from './authorisation.js';
import type { Caller } from './caller.js';
import type { Gate } from './gate.js';

export interface GraphqlContext {
  caller: Caller;
}

/**
 * Puts the gate in front of every root field, whoever wrote its resolver, and turns whatever a resolver throws into a coded
 * GraphQL error. A root field without an entry in the access table stops the boot.
 */
export function guardSchema(schema: GraphQLSchema, gate: Gate, logger: Logger): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(type instanceof GraphQLObjectType) || type.name.startsWith('__')) continue;
    const isRoot = roots.includes(type);
    for (const field of Object.values(type.getFields())) {
      const access = isRoot ? accessOf(`${type.name}.${field.name}`) : undefined;
      const guard = (
        resolve: GraphQLFieldResolver<unknown, GraphqlContext>,
      ): GraphQLFieldResolver<unknown, GraphqlContext> =>
        async function guarded(source, args, context, info) {
          try {
            if (access !== undefined) await gate.pass(access, context.caller);
            return await resolve(source, args as Record<string, unknown>, context, info);
          } catch (error) {
            if (isDefect(error)) logger.error({ err: error, field: `${type.name}.${field.name}` }, 'resolver failed');
            throw toGraphqlError(error);
          }
        };
      if (type === schema.getSubscriptionType()) {
        if (field.subscribe === undefined) throw new Error(`Subscription.${field.name} has no resolver.`);
        field.subscribe = guard(field.subscribe);
        field.resolve = (payload: unknown) => payload;
      } else if (field.resolve !== undefined && field.resolve !== defaultFieldResolver) {
        field.resolve = guard(field.resolve);
      } else if (isRoot) {
        throw new Error(`${type.name}.${field.name} has no resolver.`);
      }
    }
  }
  return schema;
}
