import { backOff, pause } from '@gantry/jetstream/pause';
import type { Logger } from '@gantry/nest-platform/logger';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** About a quarter of an hour without an engine. */
const ROUNDS = 35;

/**
 * Removes what an attempt left behind when the engine was away at its end. The attempt is over and reported, so nobody waits for
 * this; what is not done when the agent stops, its next start does.
 */
export async function sweepLater(sweep: () => Promise<void>, logger: Pick<Logger, 'error'>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await pause(backOff(round, FIRST_PAUSE_MS, LONGEST_PAUSE_MS));
    try {
      await sweep();
      return;
    } catch (error) {
      if (round === ROUNDS - 1) logger.error({ err: error }, 'attempt left behind until the next start');
    }
  }
}
