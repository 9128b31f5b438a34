import { SnapshotPage, SnapshotPageWriter } from '../snapshot-page.js';
import type { SnapshotEntry } from '../snapshot-entry.js';

/** As a snapshot would give them back, in pages of so few rows that a handful of entries takes several. */
export function pagesOf(entries: Iterable<SnapshotEntry>, rows = 4): SnapshotPage[] {
  const pages: SnapshotPage[] = [];
  let writer: SnapshotPageWriter | undefined;
  const finish = (): void => {
    if (writer !== undefined) pages.push(SnapshotPage.read(writer.finish()));
    writer = undefined;
  };
  for (const entry of entries) {
    if (writer !== undefined && (writer.size === rows || !writer.accepts(entry))) finish();
    writer ??= new SnapshotPageWriter(entry);
    writer.add(entry);
  }
  finish();
  return pages;
}
