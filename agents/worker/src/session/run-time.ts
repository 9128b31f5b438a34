import type { Clock } from '@gantry/kernel/clock';
import type { AgentStore } from './agent-store.js';
import type { BootClock } from './boot-clock.js';

interface RunTimeParts {
  readonly store: Pick<AgentStore, 'startOnBoot' | 'saveStartOnBoot'>;
  readonly clock: Clock;
  readonly bootClock: BootClock;
}

/**
 * For how long an attempt has run. Counted on the clock of the boot, over restarts of the agent too: a time of day that is set forward must
 * not end a task, and one that is set back must not let it run on. `startedAt` (time of day, by the runtime) counts only for an attempt
 * that an earlier life of the agent started without having noted it.
 */
export function ranForMs(
  key: string,
  startedAt: number,
  startedBefore: boolean,
  { store, clock, bootClock }: RunTimeParts,
): number {
  const { bootId } = bootClock;
  const noted = store.startOnBoot(key);
  if (noted !== undefined && noted.id === bootId) return bootClock.now() - noted.at;
  const ran = startedBefore ? Math.max(0, clock.now() - startedAt) : 0;
  if (bootId !== undefined) store.saveStartOnBoot(key, { id: bootId, at: bootClock.now() - ran });
  return ran;
}
