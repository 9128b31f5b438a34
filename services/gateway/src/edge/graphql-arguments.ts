/**
 * GraphQL clients send null for "not given"; contracts know only absence. Works through nested inputs. `T` is what the schema
 * promises without nulls; values are checked by the contract's schema afterwards.
 */
export function withoutNulls<T>(value: unknown): T {
  return strip(value) as T;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, strip(inner)]));
}
