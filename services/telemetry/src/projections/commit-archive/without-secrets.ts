import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';

/** Hashes are enough to try passwords against at leisure: they stay with the auth service. */
const SECRET_FIELDS = new Set(['passwordHash', 'secretHash', 'tokenHash']);

export function withoutSecrets(commit: Commit): Commit {
  if (commit.stream !== streams.auth.name) return commit;
  return { ...commit, events: commit.events.map((event) => ({ ...event, data: strip(event.data) })) };
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !SECRET_FIELDS.has(key))
      .map(([key, inner]) => [key, strip(inner)]),
  );
}
