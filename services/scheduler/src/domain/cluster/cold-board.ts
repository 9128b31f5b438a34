import type { SpecRest } from '@gantry/contracts/tasks/packed-spec';
import { ColdEntries, inPage, type CapturedRow } from '@gantry/event-sourcing/cold-entries';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { ColdRun, type ColdSource, type ColdStretch } from '../placement/cold-run.js';
import type { Shape } from '../placement/shape.js';
import { onlyWaits, rowOf, type EntryReader } from './board-snapshot.js';
import type { TaskEntry } from './task-entry.js';

interface Lane extends ColdStretch {
  readonly shape: Shape;
  readonly rows: number[];
  readonly orders: number[];
}

/** Waiting tasks that a start has taken in and that nothing has happened to since, still in the pages of the snapshot. */
export class ColdBoard {
  private readonly entries = new ColdEntries();

  constructor(private readonly reader: EntryReader) {}

  get size(): number {
    return this.entries.size;
  }

  /** Takes in what only waits; answers of a row whether it was. */
  add(page: SnapshotPage): (row: number) => boolean {
    const waits = page.parts.map((part) => onlyWaits(part));
    const isCold = (row: number): boolean => waits[rowOf.restPlace(page, row)] === true && !rowOf.isAssigned(page, row);
    this.entries.add(page, isCold);
    return isCold;
  }

  find(taskId: string): number | undefined {
    return this.entries.find(taskId);
  }

  has(row: number): boolean {
    return this.entries.has(row);
  }

  take(row: number): void {
    this.entries.take(row);
  }

  entry(row: number): TaskEntry {
    return this.reader.read(this.entries.pageOf(row), inPage(row)).entry;
  }

  queuedAt(row: number): number {
    return rowOf.queuedAt(this.entries.pageOf(row), inPage(row));
  }

  captured(): Iterable<CapturedRow> {
    return this.entries.captured();
  }

  /** As it was stored; undefined if it was taken since. */
  stored({ page, inPage: row, row: number }: CapturedRow): SnapshotEntry | undefined {
    return this.entries.has(number) ? page.entry(row) : undefined;
  }

  /** All of them in queue order, one run for each shape. One by one: of many different shapes few keep their run. */
  *runs(source: ColdSource): Generator<{ readonly shape: Shape; readonly run: ColdRun }> {
    for (const lanes of this.lanes().values()) {
      lanes.sort((a, b) => b.priority - a.priority);
      yield { shape: lanes[0]!.shape, run: new ColdRun(lanes.map(inOrder), source) };
    }
  }

  private lanes(): Map<string, Lane[]> {
    const lanes = new Map<string, Lane[]>();
    for (const { page, present, firstRow } of this.entries.pagesWithRows()) {
      const ofPlace: (Lane | undefined)[] = [];
      for (let row = 0; row < page.size; row += 1) {
        if (present[row] !== 1) continue;
        const lane = (ofPlace[rowOf.specPlace(page, row)] ??= this.laneOf(lanes, rowOf.spec(page, row)));
        lane.rows.push(firstRow + row);
        lane.orders.push(rowOf.order(page, row));
      }
    }
    return lanes;
  }

  private laneOf(lanes: Map<string, Lane[]>, spec: SpecRest): Lane {
    const shape = this.reader.shapeOf(spec);
    let ofShape = lanes.get(shape.key);
    if (ofShape === undefined) lanes.set(shape.key, (ofShape = []));
    let lane = ofShape.find(({ priority }) => priority === spec.priority);
    if (lane === undefined) ofShape.push((lane = { shape, priority: spec.priority, rows: [], orders: [] }));
    return lane;
  }
}

/** Mostly it is in order: a snapshot has what waits as it came. */
function inOrder(lane: Lane): ColdStretch {
  const { priority, rows, orders } = lane;
  if (orders.every((order, index) => index === 0 || orders[index - 1]! < order)) return lane;
  const sorted = rows.map((_, index) => index).sort((a, b) => orders[a]! - orders[b]!);
  return { priority, rows: sorted.map((index) => rows[index]!), orders: sorted.map((index) => orders[index]!) };
}
