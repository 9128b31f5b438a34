import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { taskSortSchema, type TaskListInput } from '@gantry/contracts/tasks/task-requests';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { pagesOf } from '@gantry/event-sourcing/testing/pages-of';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TaskBoard } from './task-board.projection.js';
import { taskEntry, taskIn } from './task-page.js';

const submission = fc.record({
  owner: fc.constantFrom('ada', 'bob', 'cyd'),
  name: fc.constantFrom('Train', 'evaluate', 'TRAINING'),
  queue: fc.constantFrom('default', 'gpu'),
  priority: fc.integer({ min: -1, max: 1 }),
  tags: fc.constantFrom(['x'], ['x', 'y'], []),
  createdAt: fc.nat(9),
  /** What has happened to it before the snapshot. */
  before: fc.constantFrom('nothing', 'nothing', 'nothing', 'assigned', 'ended'),
  after: fc.constantFrom('nothing', 'nothing', 'assigned', 'cancel requested', 'deleted'),
});
type Submission = typeof submission extends fc.Arbitrary<infer T> ? T : never;

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const query: fc.Arbitrary<TaskListInput> = fc.record({
  visibleTo: fc.constantFrom(null, null, 'ada', 'nobody'),
  filter: fc
    .record({
      statuses: optional(fc.constantFrom(['queued' as const], ['succeeded' as const])),
      workerId: optional(fc.constant('w')),
      ownerId: optional(fc.constantFrom('ada', 'bob')),
      tag: optional(fc.constantFrom('x', 'y')),
      queue: optional(fc.constant('gpu')),
      search: optional(fc.constantFrom('train', 'T-1', 'zzz')),
    })
    .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))),
  sort: fc.constantFrom(...taskSortSchema.options),
  descending: fc.boolean(),
  after: optional(fc.record({ value: fc.nat(9), id: fc.constantFrom('t-1', 't-30') })),
  limit: fc.constantFrom(1, 3, 200),
  now: fc.constant(10),
});

/** Boards that are told the same. */
class Story {
  private sequence = 0;
  private readonly versions = new Map<string, number>();

  tell(boards: readonly TaskBoard[], aggregateId: string, ...events: TaskEvent[]): void {
    this.sequence += 1;
    const version = (this.versions.get(aggregateId) ?? 0) + 1;
    this.versions.set(aggregateId, version);
    const stored = { commit: { aggregateId, version, events }, streamSequence: this.sequence, subject: '' };
    for (const board of boards) board.absorb(stored as unknown as StoredCommit, 'stream');
  }
}

const assigned: TaskEvent = {
  type: 'TaskAssigned',
  data: { attempt: 1, workerId: 'w', workerName: 'w', leaseMs: 1, gpuIds: [], assignedAt: 2 },
};
const events: Record<Submission['before' | 'after'], TaskEvent[]> = {
  nothing: [],
  assigned: [assigned],
  ended: [assigned, { type: 'TaskSucceeded', data: { attempt: 1, exitCode: 0, finishedAt: 4 } }],
  'cancel requested': [{ type: 'TaskCancelRequested', data: { requestedBy: 'x', graceMs: 1, at: 5 } }],
  deleted: [{ type: 'TaskDeleted', data: { deletedBy: 'x', at: 9 } }],
};

/** As a start would take it in. */
function restored(board: TaskBoard): TaskBoard {
  const { cold, tasks } = board.snapshot();
  const entries = [...cold, ...[...tasks].map(({ task, submission: sequence }) => taskEntry(task, sequence, ''))];
  const next = new TaskBoard();
  for (const page of pagesOf(entries)) {
    const isTaken = next.restoreWaiting(page);
    for (let row = 0; row < page.size; row += 1)
      if (!isTaken(row)) next.restore(taskIn.whole(page, row), taskIn.submission(page, row));
  }
  return next;
}

function picture(board: TaskBoard, ids: readonly string[], queries: readonly TaskListInput[]) {
  const views = ids.map((id) => board.get(id));
  return {
    views,
    size: board.size,
    submissions: ids.map((id) => board.submissionOf(id)),
    positions: views.map((view) => view && board.queuePosition(view)),
    counts: [null, 'ada', 'bob', 'nobody'].map((owner) => board.countByStatus(owner)),
    lists: queries.map((one) => board.list(one)),
  };
}

it('a board out of a snapshot answers every question like the one that it was taken of, whatever happens next', () => {
  fc.assert(
    fc.property(
      fc.array(submission, { maxLength: 40, size: 'max' }),
      fc.array(query, { minLength: 5, maxLength: 5 }),
      (drawn, queries) => {
        const story = new Story();
        const board = new TaskBoard();
        const ids = drawn.map((_, index) => `t-${index}`);
        drawn.forEach(({ owner, createdAt: submittedAt, before: _before, after: _after, ...spec }, index) => {
          const data = {
            ...{ ownerId: owner, ownerName: owner, submittedAt },
            spec: taskSpecSchema.parse({ ...spec, image: 'busybox', command: ['echo', `${index}`] }),
          };
          story.tell([board], ids[index]!, { type: 'TaskSubmitted', data });
        });
        drawn.forEach(({ before }, index) => {
          if (events[before].length > 0) story.tell([board], ids[index]!, ...events[before]);
        });
        const second = restored(board);
        expect(picture(second, ids, queries)).toEqual(picture(board, ids, queries));
        drawn.forEach(({ before, after }, index) => {
          const isOver = before === 'ended' && after !== 'deleted';
          if (!isOver && events[after].length > 0) story.tell([board, second], ids[index]!, ...events[after]);
        });
        const known = picture(board, ids, queries);
        expect(picture(second, ids, queries)).toEqual(known);
        expect(picture(restored(second), ids, queries)).toEqual(known);
      },
    ),
    { numRuns: 500 },
  );
});
