import { PackedSpec, type SpecRest } from '@gantry/contracts/tasks/packed-spec';
import type { SnapshotPage } from '@gantry/event-sourcing/snapshot-page';
import type { SnapshotEntry } from '@gantry/event-sourcing/snapshot-entry';
import { PackedTask, packTask, type HeldTask, type ViewRest } from './packed-task.js';

const numbers = { createdAt: 0, queuedAt: 1, submission: 2 } as const;
const shared = { rest: 0, spec: 1 } as const;
const texts = { name: 0, details: 1, aggregate: 2 } as const;

/** A task as an entry of a snapshot. `aggregate`: what its view does not tell of it, empty if nothing is known. */
export function taskEntry(held: HeldTask, submission: number | undefined, aggregate: string): SnapshotEntry {
  const { id, createdAt, queuedAt, rest, spec } = packTask(held);
  return {
    key: id,
    numbers: [createdAt, queuedAt, submission ?? NaN],
    shared: [rest, spec.rest],
    texts: [spec.name, spec.details, aggregate],
  };
}

/** What a page tells of the task in one of its rows. */
export const taskIn = {
  whole(page: SnapshotPage, row: number): PackedTask {
    const details = page.text(texts.details, row);
    const spec = new PackedSpec(taskIn.name(page, row), taskIn.spec(page, row), details);
    return new PackedTask(
      page.key(row),
      taskIn.createdAt(page, row),
      page.number(numbers.queuedAt, row),
      taskIn.rest(page, row),
      spec,
    );
  },

  createdAt(page: SnapshotPage, row: number): number {
    return page.number(numbers.createdAt, row);
  },

  /** Stream sequence of the only commit of a task that has just been submitted. */
  submission(page: SnapshotPage, row: number): number | undefined {
    const sequence = page.number(numbers.submission, row);
    return Number.isNaN(sequence) ? undefined : sequence;
  },

  rest(page: SnapshotPage, row: number): ViewRest {
    return page.shared(shared.rest, row) as ViewRest;
  },

  /** Which of the page's parts that is. */
  restPlace(page: SnapshotPage, row: number): number {
    return page.place(shared.rest, row);
  },

  spec(page: SnapshotPage, row: number): SpecRest {
    return page.shared(shared.spec, row) as SpecRest;
  },

  specPlace(page: SnapshotPage, row: number): number {
    return page.place(shared.spec, row);
  },

  name(page: SnapshotPage, row: number): string {
    return page.text(texts.name, row);
  },

  /** All names of the page without anything between them; undefined if they are not all ASCII. */
  asciiNames(page: SnapshotPage): string | undefined {
    return page.asciiTexts(texts.name);
  },

  aggregate(page: SnapshotPage, row: number): string {
    return page.text(texts.aggregate, row);
  },
};
