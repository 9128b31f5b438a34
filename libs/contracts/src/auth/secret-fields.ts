/** Fields of AUTH events that only the auth service may show: hashes are enough to try passwords against at leisure. */
const secretFields = new Set(['passwordHash', 'secretHash', 'tokenHash']);

/** A copy without the secret fields, at any depth. */
export function withoutSecretFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !secretFields.has(key))
      .map(([key, inner]) => [key, withoutSecretFields(inner)]),
  );
}
