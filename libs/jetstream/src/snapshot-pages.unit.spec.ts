import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import { expect, it } from 'vitest';
import { inPages } from './snapshot-pages.js';

const COUNT = 60;
const WORK_MS = 0.5;

/** Each takes its time, as turning a large state into text does. */
function* slowEntries(): Generator<SnapshotEntry> {
  for (let index = 0; index < COUNT; index += 1) {
    const until = performance.now() + WORK_MS;
    while (performance.now() < until);
    yield { key: '', numbers: [index], shared: [{ kind: 'task' }], texts: [`text ${index}`] };
  }
}

/** Texts of all entries, and how often a timer of something else had its turn meanwhile. */
async function written(isUrgent: boolean): Promise<{ texts: string[]; turns: number }> {
  let turns = 0;
  const other = setInterval(() => (turns += 1), 1);
  const texts: string[] = [];
  for await (const { bytes, entries } of inPages(slowEntries(), () => isUrgent)) {
    const page = SnapshotPage.read(bytes);
    for (let row = 0; row < entries; row += 1) texts.push(page.text(0, row));
  }
  clearInterval(other);
  return { texts, turns };
}

const all = Array.from({ length: COUNT }, (_, index) => `text ${index}`);

it('lets everything else have its turn after every millisecond of writing', async () => {
  const { texts, turns } = await written(false);
  expect(texts).toEqual(all);
  expect(turns).toBeGreaterThan((COUNT * WORK_MS) / 2);
});

it('writes the same without rests when it is urgent', async () => {
  expect((await written(true)).texts).toEqual(all);
});
