import type { Task } from '@gantry/client/gantry-client';
import type { ErrorKind } from '@gantry/kernel/gantry-error';

/**
 * Exit code of `gantry run`: the task's own when it has one; else the shell's conventions: 124 = time-out (as timeout(1)),
 * 137 = killed for memory, 130 = cancelled, 125 = Gantry could not run it (as docker run).
 */
export function exitCodeOf(task: Pick<Task, 'status' | 'exitCode' | 'failure'>): number {
  switch (task.status) {
    case 'succeeded':
      return task.exitCode ?? 0;
    case 'timed_out':
      return 124;
    case 'cancelled':
      return 130;
    case 'failed':
      if (task.failure?.class === 'out_of_memory') return 137;
      return task.exitCode != null && task.exitCode !== 0 ? task.exitCode : 125;
    case 'queued':
    case 'assigned':
    case 'starting':
    case 'running':
      return 0;
  }
}

/** Exit code of a command that failed by itself, by sysexits.h. */
export const exitCodeOfError: Record<ErrorKind, number> = {
  invalid: 64,
  unauthenticated: 77,
  forbidden: 77,
  not_found: 66,
  conflict: 75,
  limit: 75,
  unavailable: 69,
  internal: 70,
};
