import { z } from 'zod';
import type { SnapshotPolicy } from './snapshot-keeper.js';

/** Of a service with a snapshot. */
export const snapshotEnvironmentShape = {
  /** After so long, if there was any commit, a snapshot is saved; after 100,000 commits in any case. */
  GANTRY_SNAPSHOT_AFTER_SECONDS: z.coerce.number().int().min(1).max(86_400).default(600),
};

export function snapshotPolicyOf({
  GANTRY_SNAPSHOT_AFTER_SECONDS: seconds,
}: {
  readonly GANTRY_SNAPSHOT_AFTER_SECONDS: number;
}): Partial<SnapshotPolicy> {
  return { everyMs: seconds * 1_000 };
}
