import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const THREADS = '/proc/self/task';

/**
 * Lets other programs of this machine use the processors first: `niceness` from 0 (as ordinary programs) to 19 (last), see nice(2). Holds for every
 * thread of this process and for those they start later. A process that was started with a higher niceness keeps it.
 */
export function giveWay(niceness: number): void {
  if (getPriority() >= niceness) return;
  setPriority(niceness);
  // On Linux each thread has a priority of its own, and the call above reaches the first one only.
  for (const thread of process.platform === 'linux' ? readdirSync(THREADS) : []) setPriority(Number(thread), niceness);
}
