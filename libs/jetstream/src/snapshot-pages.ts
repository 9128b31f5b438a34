import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { SnapshotPageWriter } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';

/**
 * How long entries are turned into text, and how long everything else has its turn after that, milliseconds. What a service does for a
 * task waits for its event loop several times, each time for up to a slice: slices of 5 ms without rests made the p95 of submissions
 * six times as long for as long as the saving took.
 */
const SLICE_MS = 1;
const REST_MS = 1;

export interface WrittenPage {
  readonly bytes: Buffer;
  readonly entries: number;
}

/** Pages of entries; gives the event loop back after every slice of work, and rests for as long unless it is urgent. */
export async function* inPages(
  entries: Iterable<SnapshotEntry>,
  isUrgent: () => boolean = () => false,
): AsyncGenerator<WrittenPage> {
  let page: SnapshotPageWriter | undefined;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const entry of entries) {
    if (page?.accepts(entry) === false) {
      yield { bytes: page.finish(), entries: page.size };
      page = undefined;
      sliceEnd = performance.now() + SLICE_MS;
    }
    page ??= new SnapshotPageWriter(entry);
    page.add(entry);
    if (performance.now() < sliceEnd) continue;
    await (isUrgent() ? nextTurn() : wait(REST_MS));
    sliceEnd = performance.now() + SLICE_MS;
  }
  if (page !== undefined) yield { bytes: page.finish(), entries: page.size };
}
