import { GantryError } from '@gantry/kernel/gantry-error';

/** Long enough for a service that is restarted, short enough for a person who waits. */
const PAUSES_MS = [100, 250, 500, 1_000, 2_000, 4_000];

/**
 * Tries again what the server calls retryable, and only what may be done twice. A request that never left this machine was not
 * done at all, so anything may go on to the `otherAddresses`, at once.
 */
export async function retrying<T>(
  work: () => Promise<T>,
  { repeatable, otherAddresses }: { repeatable: boolean; otherAddresses: number },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GantryError) || !error.retryable) throw error;
      if (error instanceof UnsentError && attempt < otherAddresses) continue;
      const limit = PAUSES_MS[attempt];
      if (!repeatable || limit === undefined) throw error;
      await pause(limit);
    }
  }
}

const FOLLOW_PAUSES_MS = [100, 250, 500, 1_000, 2_000, 5_000];
/** Some four minutes of the longest pause. */
const MOST_FAILURES_OF_A_FOLLOWER = 60;

/**
 * How long a follower waits before its next try, ms; undefined: it gives up. One that was connected before watches work that goes
 * on without it, so it outlasts the restart of a whole system; a first connection that fails is more likely a mistake.
 */
export function followPause(failures: number, everConnected: boolean): number | undefined {
  const limit = FOLLOW_PAUSES_MS[failures];
  if (limit !== undefined || !everConnected || failures >= MOST_FAILURES_OF_A_FOLLOWER) return limit;
  return FOLLOW_PAUSES_MS.at(-1);
}

/** Between half of and the full time, so that clients that failed together do not come back together. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds * (0.5 + Math.random() / 2)));
}

/** Nobody accepted the connection, so nothing was sent. */
export class UnsentError extends GantryError {}

const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export function unreachable(url: URL, cause: unknown): GantryError {
  const reason = cause instanceof Error ? cause.cause : undefined;
  const code = typeof reason === 'object' && reason !== null && 'code' in reason ? String(reason.code) : '';
  const message = `No answer from ${url.origin}. Is Gantry running there?`;
  const kind = UNSENT.has(code) ? UnsentError : GantryError;
  return new kind('CLIENT.UNREACHABLE', 'unavailable', message, { cause });
}
