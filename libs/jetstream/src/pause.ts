/** Waits; ends early (without an error) when `signal` aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Exponential: `first`, twice that ... up to `most`, in milliseconds. `round` counts from 0. */
export function backOff(round: number, first: number, most: number): number {
  return Math.min(most, first * 2 ** Math.min(round, 30));
}
