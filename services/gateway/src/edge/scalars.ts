import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';

/** Epoch milliseconds. GraphQL's own Int ends at 2^31, which epoch milliseconds passed in 1970. */
export const timeScalar = new GraphQLScalarType<number, number>({
  name: 'Time',
  serialize: (value) => whole(value),
  parseValue: (value) => whole(value),
  parseLiteral: (node) => {
    if (node.kind !== Kind.INT) throw badTime();
    return whole(Number(node.value));
  },
});

export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw badTime();
}

function badTime(): GraphQLError {
  return new GraphQLError('A time is a whole number of milliseconds since 1970.');
}
