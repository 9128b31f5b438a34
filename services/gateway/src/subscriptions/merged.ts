/** Values of several sources in the order in which they come; at most one value per source waits. Ends when all ended. */
export async function* merged<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const pending = new Map<AsyncGenerator<T>, Promise<{ source: AsyncGenerator<T>; result: IteratorResult<T> }>>();
  const advance = (source: AsyncGenerator<T>) => {
    pending.set(
      source,
      source.next().then((result) => ({ source, result })),
    );
  };
  sources.forEach(advance);
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values());
      if (result.done === true) {
        pending.delete(source);
        continue;
      }
      advance(source);
      yield result.value;
    }
  } finally {
    for (const [source, waiting] of pending) {
      waiting.catch(() => undefined);
      void source.return(undefined).catch(() => undefined);
    }
  }
}

/** At most one value per interval; the source decides what is left out meanwhile (see `CoalescingQueue`). */
export async function* paced<T>(source: AsyncGenerator<T>, intervalMs: number, signal: AbortSignal): AsyncGenerator<T> {
  for await (const value of source) {
    yield value;
    if (intervalMs > 0) await pause(intervalMs, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
