/**
 * A page that is left in the middle of a refresh has lost the answer, but the browser still stores the new cookie when it
 * comes (`keepalive`). The next page must not send the old cookie meanwhile: a second use revokes the session. So a
 * refresh leaves a marker until it is done, and whoever finds a fresh one waits it out.
 */
export interface MarkerStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = 'gantry.refreshing-since';
export const MARKER_WAIT_MS = 2_000;

export async function withRefreshMarker<T>(
  work: () => Promise<T>,
  storage: MarkerStorage,
  clock: { now(): number; sleep(ms: number): Promise<void> },
): Promise<T> {
  const since = Number(storage.getItem(KEY) ?? 0);
  const waited = clock.now() - since;
  if (since > 0 && waited >= 0 && waited < MARKER_WAIT_MS) await clock.sleep(MARKER_WAIT_MS - waited);
  storage.setItem(KEY, String(clock.now()));
  try {
    return await work();
  } finally {
    storage.removeItem(KEY);
  }
}
