import {
  GraphQLError,
  Kind,
  type ASTVisitor,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

export interface GraphqlLimits {
  maxDepth: number;
  /** Fields counted through fragments; those that ask another service per object count more. */
  maxCost: number;
  /** The same root field under different names, which would go around the rate limits. */
  maxRootFields: number;
}

export const defaultGraphqlLimits: GraphqlLimits = { maxDepth: 15, maxCost: 2_000, maxRootFields: 20 };

/** Fields that make the gateway ask another service once per object. */
const expensiveFields: ReadonlyMap<string, number> = new Map([
  ['history', 10],
  ['explanation', 10],
  ['queuePosition', 2],
  ['series', 20],
]);

interface Measure {
  depth: number;
  cost: number;
}

/**
 * Refuses documents that are too deep, too wide or repeat root fields too often. Introspection is measured like the
 * rest but has a depth of its own, since the standard introspection query is 13 deep. Fragment cycles are refused by the
 * standard rules; here a cycle is cut so that measuring always ends.
 */
export function limitRule(limits: GraphqlLimits = defaultGraphqlLimits) {
  return (context: ValidationContext): ASTVisitor => ({
    OperationDefinition(operation: OperationDefinitionNode) {
      const measured = new Map<string, Measure>();
      const { depth, cost } = measure(operation.selectionSet, context, measured, new Set());
      const rootFields = countFields(operation.selectionSet, context, new Set());
      const refuse = (message: string) =>
        context.reportError(
          new GraphQLError(message, {
            nodes: operation,
            extensions: { exactCode: 'GRAPHQL.TOO_COMPLEX', kind: 'limit' },
          }),
        );
      if (depth > limits.maxDepth)
        refuse(`The query is ${depth} levels deep; at most ${limits.maxDepth} are served. Split it.`);
      else if (cost > limits.maxCost)
        refuse(`The query asks for too much at once (cost ${cost}, at most ${limits.maxCost}). Split it.`);
      else if (rootFields > limits.maxRootFields)
        refuse(`The query has ${rootFields} root fields; at most ${limits.maxRootFields} are served. Split it.`);
    },
  });
}

function measure(
  set: SelectionSetNode,
  context: ValidationContext,
  measured: Map<string, Measure>,
  path: Set<string>,
): Measure {
  let depth = 0;
  let cost = 0;
  for (const selection of set.selections) {
    let inner: Measure = { depth: 0, cost: 0 };
    if (selection.kind === Kind.FIELD) {
      if (selection.selectionSet !== undefined) inner = measure(selection.selectionSet, context, measured, path);
      cost += expensiveFields.get(selection.name.value) ?? 1;
      inner = { ...inner, depth: inner.depth + 1 };
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      inner = measure(selection.selectionSet, context, measured, path);
    } else {
      inner = measureFragment(context.getFragment(selection.name.value), context, measured, path);
    }
    depth = Math.max(depth, inner.depth);
    cost += inner.cost;
  }
  return { depth, cost };
}

function measureFragment(
  fragment: FragmentDefinitionNode | null | undefined,
  context: ValidationContext,
  measured: Map<string, Measure>,
  path: Set<string>,
): Measure {
  if (fragment === null || fragment === undefined || path.has(fragment.name.value)) return { depth: 0, cost: 0 };
  const { value: name } = fragment.name;
  const known = measured.get(name);
  if (known !== undefined) return known;
  path.add(name);
  const result = measure(fragment.selectionSet, context, measured, path);
  path.delete(name);
  measured.set(name, result);
  return result;
}

function countFields(set: SelectionSetNode, context: ValidationContext, path: Set<string>): number {
  let count = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) count += 1;
    else if (selection.kind === Kind.INLINE_FRAGMENT) count += countFields(selection.selectionSet, context, path);
    else {
      const fragment = context.getFragment(selection.name.value);
      if (fragment === null || fragment === undefined || path.has(fragment.name.value)) continue;
      // Repeating a fragment at the root merges its fields, so it counts once.
      path.add(fragment.name.value);
      count += countFields(fragment.selectionSet, context, path);
    }
  }
  return count;
}
