import type Docker from 'dockerode';
import { openResponse } from './docker-engine.js';
import { type EndedState, KILLED } from './docker-exit.js';

/** How long after an end the engine may hear that it was for want of memory, milliseconds. */
const LATE_MS = 250;
/** The engine counts the time above by its clock, which may be set back meanwhile. */
const PATIENCE_MS = 2_000;
const secondsOf = (milliseconds: number): string => (milliseconds / 1_000).toFixed(3);

/**
 * Whether the kernel killed it for its memory. The engine hears of that and of the end in two messages. On a busy machine one pair in
 * sixty comes the wrong way round; then what the engine says of the container is wrong for ever, and only its events tell (measured on
 * version 20.10). Resolves at the latest 250 ms after the end, by the engine's clock.
 */
export async function ranOutOfMemory(
  docker: Docker,
  containerId: string,
  { ExitCode, OOMKilled, StartedAt, FinishedAt }: EndedState,
  signal: AbortSignal,
): Promise<boolean> {
  if (OOMKilled || ExitCode !== KILLED) return OOMKilled;
  const query = {
    since: secondsOf(Date.parse(StartedAt)),
    // An engine may leave the time of the end empty, which is long before every start.
    until: secondsOf(Math.max(Date.parse(StartedAt), Date.parse(FinishedAt)) + LATE_MS),
    filters: JSON.stringify({ container: [containerId], event: ['oom'] }),
  };
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const call = { method: 'GET', path: '/events', query } as const;
  try {
    for await (const news of await openResponse(docker, call, AbortSignal.any([signal, patience]))) {
      if ((news as Buffer).length > 0) return true;
    }
  } catch (error) {
    if (!patience.aborted || signal.aborted) throw error;
  }
  return false;
}
