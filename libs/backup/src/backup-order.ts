import { streams } from '@gantry/contracts/messaging/streams';

/**
 * Snapshots of several streams cannot be taken in one moment, so their order has to keep what depends on what:
 * - KV buckets first: a snapshot of in-memory state must never be ahead of the stream that it stands for;
 * - a cause before its effect: what a consumer acknowledged of REPORTS, ASSIGN and SCHED has then reached TASKS for certain;
 * - ARCHIVE after TASKS: what left the one while the backup was made is in the other, and what is in both is removed again;
 * - ARTIFACTS and AUTH after TASKS: whatever a task names (a file, its owner) is then there for certain.
 */
const afterBuckets: readonly string[] = [
  streams.reports.name,
  streams.assign.name,
  streams.sched.name,
  streams.metrics.name,
  streams.logs.name,
  streams.tasks.name,
];

export function inBackupOrder(names: readonly string[]): string[] {
  const rank = (name: string): number => {
    if (name.startsWith('KV_')) return 0;
    const known = afterBuckets.indexOf(name);
    return known === -1 ? afterBuckets.length + 1 : known + 1;
  };
  return names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
