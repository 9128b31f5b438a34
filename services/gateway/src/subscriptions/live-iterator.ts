/**
 * An async generator that can be ended while it waits. A plain generator's `return()` is queued behind the pending `next()`,
 * so a client that leaves while nothing happens would hold its subscription for ever; here `return()` aborts `signal` first.
 * The source must end (or throw) when the signal aborts.
 */
export function liveIterator<T>(
  source: (signal: AbortSignal) => AsyncGenerator<T>,
  outer?: AbortSignal,
): AsyncGenerator<T> {
  const controller = new AbortController();
  const signal = outer === undefined ? controller.signal : AbortSignal.any([controller.signal, outer]);
  const inner = source(signal);
  const iterator = {
    next: async (): Promise<IteratorResult<T>> => {
      try {
        const result = await inner.next();
        if (result.done === true) controller.abort();
        return result;
      } catch (error) {
        if (signal.aborted) return { done: true, value: undefined };
        controller.abort();
        throw error;
      }
    },
    return: async (): Promise<IteratorResult<T>> => {
      controller.abort();
      // Not awaited: the pending next() ends by the abort, and the client need not wait for the clean-up.
      void inner.return(undefined).catch(() => undefined);
      return { done: true, value: undefined };
    },
    throw: async (error: unknown): Promise<IteratorResult<T>> => {
      controller.abort();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return iterator;
    },
    [Symbol.asyncDispose]: async () => {
      controller.abort();
    },
  };
  return iterator as AsyncGenerator<T>;
}

export async function* mapped<A, B>(
  source: AsyncIterable<A>,
  convert: (value: A) => B | Promise<B>,
): AsyncGenerator<B> {
  for await (const value of source) yield await convert(value);
}
