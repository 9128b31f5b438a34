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
