import { backOff, pause } from '@gantry/jetstream/pause';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Does it again until it succeeds or the signal aborts; never rejects. What is given to it must do no harm when it is done twice. */
export async function insist(
  work: () => Promise<void>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await work();
      return;
    } catch (error) {
      // Whatever was under way when it was called off may well fail.
      if (signal.aborted) return;
      onFailure(error);
      await pause(backOff(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), signal);
    }
  }
}
