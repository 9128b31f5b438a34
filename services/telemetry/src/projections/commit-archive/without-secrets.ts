import { withoutSecretFields } from '@gantry/contracts/auth/secret-fields';
import type { Commit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';

/** Hashes of passwords and keys stay with the auth service. */
export function withoutSecrets(commit: Commit): Commit {
  if (commit.stream !== streams.auth.name) return commit;
  return { ...commit, events: commit.events.map((event) => ({ ...event, data: withoutSecretFields(event.data) })) };
}
