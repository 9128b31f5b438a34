import type { SpecRest } from '@gantry/contracts/tasks/packed-spec';
import { ColdEntries, inPage } from '@gantry/event-sourcing/cold-entries';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import type { ListedTask } from './listed-task.js';
import { RestOfView, type PackedTask, type ViewRest } from './packed-task.js';
import type { RankedKey } from './ranked-list.js';
import { taskIn } from './task-page.js';

/** The tasks of one queue and priority. */
interface Lane {
  readonly queue: string;
  readonly priority: number;
  /** Tasks that are here, over all pages. */
  count: number;
}

interface ColdQuery {
  readonly owner: string | undefined;
  /** Lower case; see `listTasks`. */
  readonly search: string | undefined;
  readonly newestFirst: boolean;
}

interface TakenIn {
  /** How many tasks each owner has. */
  readonly owners: ReadonlyMap<string, number>;
  /** Of a row: whether it was taken in. */
  readonly isCold: (row: number) => boolean;
}

interface PageOfTasks {
  /** By place of the spec among the parts. */
  readonly lanes: readonly (Lane | undefined)[];
  readonly counts: Map<Lane, number>;
  readonly owners: ReadonlySet<string>;
  readonly oldest: number;
  readonly newest: number;
  /** Tasks that are here. */
  count: number;
}

/**
 * Waiting tasks that a start has taken in and nobody has touched since, still in the pages of the snapshot. Each is made a task of the
 * board when something happens to it, and can be looked at as it is.
 */
export class ColdTasks {
  private readonly entries = new ColdEntries();
  private readonly pages = new Map<SnapshotPage, PageOfTasks>();
  /** By queue. */
  private readonly lanes = new Map<string, Lane[]>();

  get size(): number {
    return this.entries.size;
  }

  /** Takes in the tasks of a page that have only been submitted. */
  add(page: SnapshotPage): TakenIn {
    // With one commit a task waits: assigned, ended and cancelled it has more.
    const isCold = (row: number): boolean => taskIn.submission(page, row) !== undefined;
    const owners = new Map<string, number>();
    const count = this.entries.add(page, isCold);
    if (count === 0) return { owners, isCold };
    const ofRest = new Uint32Array(page.parts.length);
    const ofSpec = new Uint32Array(page.parts.length);
    let oldest = Infinity;
    let newest = -Infinity;
    for (let row = 0; row < page.size; row += 1) {
      if (!isCold(row)) continue;
      ofRest[taskIn.restPlace(page, row)]! += 1;
      ofSpec[taskIn.specPlace(page, row)]! += 1;
      const createdAt = taskIn.createdAt(page, row);
      if (createdAt < oldest) oldest = createdAt;
      if (createdAt > newest) newest = createdAt;
    }
    const lanes: (Lane | undefined)[] = [];
    const counts = new Map<Lane, number>();
    for (const [place, part] of page.parts.entries()) {
      const [owned, placed] = [ofRest[place]!, ofSpec[place]!];
      const { ownerId } = part as ViewRest;
      if (owned > 0) owners.set(ownerId, (owners.get(ownerId) ?? 0) + owned);
      if (placed === 0) continue;
      const lane = (lanes[place] = this.laneOf(part as SpecRest));
      lane.count += placed;
      counts.set(lane, (counts.get(lane) ?? 0) + placed);
    }
    this.pages.set(page, { lanes, counts, owners: new Set(owners.keys()), oldest, newest, count });
    return { owners, isCold };
  }

  find(id: string): number | undefined {
    return this.entries.find(id);
  }

  task(row: number): PackedTask {
    return taskIn.whole(this.entries.pageOf(row), inPage(row));
  }

  /** Stream sequence of its only commit. */
  submission(row: number): number {
    return taskIn.submission(this.entries.pageOf(row), inPage(row))!;
  }

  take(row: number): void {
    const page = this.entries.pageOf(row);
    const held = this.pages.get(page)!;
    const lane = held.lanes[taskIn.specPlace(page, inPage(row))]!;
    lane.count -= 1;
    held.counts.set(lane, held.counts.get(lane)! - 1);
    held.count -= 1;
    this.entries.take(row);
    if (held.count === 0) this.pages.delete(page);
  }

  /** How many of them are placed before this task, which need not be one of them. */
  before({ queue, priority }: Pick<Lane, 'queue' | 'priority'>, key: RankedKey): number {
    let before = 0;
    for (const lane of this.lanes.get(queue) ?? []) {
      if (lane.priority > priority) before += lane.count;
      else if (lane.priority === priority) before += this.olderIn(lane, key);
    }
    return before;
  }

  /**
   * All that may be asked for are among them, the page with the newest first or last. One object serves all rows: what it shows changes
   * with the next one.
   */
  *list({ owner, search, newestFirst }: ColdQuery): Generator<ColdTask> {
    const shown = new ColdTask();
    for (const { page, present } of this.entries.pagesWithRows(newestFirst)) {
      if (owner !== undefined && !this.pages.get(page)!.owners.has(owner)) continue;
      if (search !== undefined && !mayFind(page, search)) continue;
      for (let step = 0; step < page.size; step += 1) {
        const row = newestFirst ? page.size - 1 - step : step;
        if (present[row] !== 1) continue;
        shown.show(page, row);
        yield shown;
      }
    }
  }

  /** Of those that are here now. */
  *ids(): Generator<string> {
    for (const { page, inPage: row } of this.entries.captured()) yield page.key(row);
  }

  /** As they are now; may be looked at one by one while some of them are taken. */
  captured(): Iterable<SnapshotEntry> {
    const rows = this.entries.captured();
    return (function* () {
      for (const { page, inPage: row } of rows) yield page.entry(row);
    })();
  }

  private laneOf({ queue, priority }: Pick<Lane, 'queue' | 'priority'>): Lane {
    let lanes = this.lanes.get(queue);
    if (lanes === undefined) this.lanes.set(queue, (lanes = []));
    let lane = lanes.find((one) => one.priority === priority);
    if (lane === undefined) lanes.push((lane = { queue, priority, count: 0 }));
    return lane;
  }

  /** Pages come mostly in the order of time, so that few of them have to be looked into. */
  private olderIn(lane: Lane, { createdAt, id }: RankedKey): number {
    const idBytes = Buffer.from(id);
    let older = 0;
    for (const { page, present } of this.entries.pagesWithRows()) {
      const { counts, oldest, newest, lanes } = this.pages.get(page)!;
      const count = counts.get(lane) ?? 0;
      if (count === 0 || oldest > createdAt) continue;
      if (newest < createdAt) {
        older += count;
        continue;
      }
      for (let row = 0; row < page.size; row += 1) {
        const created = taskIn.createdAt(page, row);
        if (created > createdAt || present[row] !== 1 || lanes[taskIn.specPlace(page, row)] !== lane) continue;
        if (created < createdAt || page.compareKey(row, idBytes) < 0) older += 1;
      }
    }
    return older;
  }
}

/** False if no task of the page has an id that begins with it, or a name with it. Looks at all of them at once. */
function mayFind(page: SnapshotPage, search: string): boolean {
  const [ids, names] = [page.asciiKeys(), taskIn.asciiNames(page)];
  // Beyond ASCII lower case depends on the neighbours.
  if (ids === undefined || names === undefined) return true;
  return ids.includes(search) || names.toLowerCase().includes(search);
}

class ColdSpec {
  private page!: SnapshotPage;
  private row = 0;

  show(page: SnapshotPage, row: number): void {
    this.page = page;
    this.row = row;
  }

  get name(): string {
    return taskIn.name(this.page, this.row);
  }

  get queue(): string {
    return taskIn.spec(this.page, this.row).queue;
  }

  get tags(): SpecRest['tags'] {
    return taskIn.spec(this.page, this.row).tags;
  }
}

/** A row as lists see it. */
export class ColdTask extends RestOfView implements ListedTask {
  private page!: SnapshotPage;
  private row = 0;
  private compared = '';
  private comparedBytes = Buffer.alloc(0);
  readonly spec = new ColdSpec();

  show(page: SnapshotPage, row: number): void {
    this.page = page;
    this.row = row;
    this.spec.show(page, row);
  }

  /** What stays when the next row is shown. */
  packed(): PackedTask {
    return taskIn.whole(this.page, this.row);
  }

  get id(): string {
    return this.page.key(this.row);
  }

  /** As of strings. Ids are ASCII. */
  compareId(other: string): number {
    if (other !== this.compared) [this.compared, this.comparedBytes] = [other, Buffer.from(other)];
    return this.page.compareKey(this.row, this.comparedBytes);
  }

  get createdAt(): number {
    return taskIn.createdAt(this.page, this.row);
  }

  get rest(): ViewRest {
    return taskIn.rest(this.page, this.row);
  }
}
