import { setImmediate } from 'node:timers/promises';
import type { StreamMessage } from '@gantry/jetstream/stream-message';

/**
 * Reads and stores a batch in slices of about so many bytes, in order. While the engine stores one slice (on a thread of its own), the next
 * is read; no more than two are in memory as objects, and requests are answered in between.
 */
export async function storeInSlices<Read>(
  messages: readonly StreamMessage[],
  sliceBytes: number,
  read: (slice: readonly StreamMessage[]) => Read,
  store: (slice: Read) => Promise<void>,
): Promise<void> {
  let storing = Promise.resolve();
  for (const slice of slicesOf(messages, sliceBytes)) {
    const contents = read(slice);
    await storing;
    storing = store(contents);
    // Awaited below; marked as handled now, in case reading throws first.
    storing.catch(() => undefined);
    // Lets the statement reach the engine before the loop is busy again.
    await setImmediate();
  }
  await storing;
}

function* slicesOf(messages: readonly StreamMessage[], sliceBytes: number): Iterable<StreamMessage[]> {
  let slice: StreamMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    slice.push(message);
    bytes += message.bytes.length;
    if (bytes < sliceBytes) continue;
    yield slice;
    slice = [];
    bytes = 0;
  }
  if (slice.length > 0) yield slice;
}
