import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { taskSortSchema, type ListPosition, type TaskListInput } from '@gantry/contracts/tasks/task-requests';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskStatuses, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTask } from './packed-task.js';
import { QueuePositions } from './queue-positions.js';
import { RankedList } from './ranked-list.js';
import { TaskBoard } from './task-board.projection.js';
import { listTasks } from './task-list.query.js';

const NOW = 1_000;

const view = fc
  .record({
    id: fc.integer({ min: 0, max: 400 }).map((n) => `id-${n}`),
    ownerId: fc.constantFrom('ada', 'bob'),
    status: fc.constantFrom(...taskStatuses),
    createdAt: fc.integer({ min: 0, max: 5 }),
    startedAt: fc.option(fc.integer({ min: 990, max: 1_010 })),
    finishedAt: fc.option(fc.integer({ min: 990, max: 1_010 })),
    workerId: fc.constantFrom('w1', 'w2', null),
    deleted: fc.boolean(),
    name: fc.constantFrom('Train', 'evaluate', 'TRAINING'),
    tags: fc.constantFrom(['x'], ['x', 'y'], []),
    queue: fc.constantFrom('default', 'gpu'),
  })
  .map(
    ({ name, tags, queue, ...rest }) =>
      ({ ...rest, spec: taskSpecSchema.parse({ name, tags, queue, image: 'busybox' }) }) as unknown as TaskView,
  );
const views = fc.uniqueArray(view, { selector: (task) => task.id, maxLength: 60 });

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const input: fc.Arbitrary<TaskListInput> = fc.record({
  visibleTo: fc.constantFrom(null, 'ada'),
  filter: fc
    .record({
      statuses: optional(fc.uniqueArray(fc.constantFrom(...taskStatuses))),
      workerId: optional(fc.constantFrom('w1')),
      ownerId: optional(fc.constantFrom('ada', 'bob')),
      tag: optional(fc.constantFrom('x', 'y')),
      queue: optional(fc.constantFrom('gpu')),
      search: optional(fc.constantFrom('train', 'ID-1', 'zzz')),
    })
    .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))),
  sort: fc.constantFrom(...taskSortSchema.options),
  descending: fc.boolean(),
  limit: fc.integer({ min: 1, max: 20 }),
  now: fc.constant(NOW),
});

/** The same list, written down as plainly as possible. */
function naive(
  tasks: readonly TaskView[],
  { visibleTo, filter, sort, descending, now }: TaskListInput,
): { position: ListPosition; task: TaskView }[] {
  const valueOf = (task: TaskView): number => {
    if (sort === 'created') return task.createdAt;
    if (sort === 'status') return taskStatuses.indexOf(task.status);
    return task.startedAt === null ? 0 : Math.max(0, (task.finishedAt ?? now) - task.startedAt);
  };
  const rows = tasks
    .filter((task) => !task.deleted)
    .filter((task) => visibleTo === null || task.ownerId === visibleTo)
    .filter((task) => !filter.statuses?.length || filter.statuses.includes(task.status))
    .filter((task) => filter.workerId === undefined || task.workerId === filter.workerId)
    .filter((task) => filter.ownerId === undefined || task.ownerId === filter.ownerId)
    .filter((task) => filter.tag === undefined || task.spec.tags.includes(filter.tag))
    .filter((task) => filter.queue === undefined || task.spec.queue === filter.queue)
    .filter(
      ({ id, spec }) =>
        filter.search === undefined ||
        spec.name.toLowerCase().includes(filter.search.toLowerCase()) ||
        id.startsWith(filter.search.toLowerCase()),
    )
    .map((task) => ({ position: { value: valueOf(task), id: task.id }, task }))
    .sort((a, b) => a.position.value - b.position.value || (a.position.id < b.position.id ? -1 : 1));
  return descending ? rows.reverse() : rows;
}

describe('task list', () => {
  it('pages through exactly what a plain sort gives', () => {
    fc.assert(
      fc.property(views, input, (tasks, query) => {
        const expected = naive(tasks, query);
        // As after a start: some are still as the snapshot brought them.
        const held = tasks.map((task, index) => (index % 2 === 0 ? packTask(task) : task));
        const seen: string[] = [];
        let after: ListPosition | undefined;
        for (;;) {
          const page = listTasks([held], after === undefined ? query : { ...query, after });
          expect(page.length).toBeLessThanOrEqual(query.limit);
          seen.push(...page.map((task) => task.id));
          if (page.length < query.limit) break;
          after = expected[seen.length - 1]?.position;
        }
        expect(seen).toEqual(expected.map(({ task }) => task.id));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('ranks', () => {
  const key = fc.record({
    createdAt: fc.integer({ min: 0, max: 20 }),
    id: fc.integer({ min: 0, max: 2_000 }).map(String),
  });

  it('of a list in blocks are those of a sorted array', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), key), { minLength: 0, maxLength: 3_000, size: 'max' });
    fc.assert(
      fc.property(steps, (drawn) => {
        const list = new RankedList();
        const plain = new Map<string, { createdAt: number; id: string }>();
        for (const [remove, next] of drawn) {
          const name = `${next.createdAt}/${next.id}`;
          if (remove) {
            list.remove(next);
            plain.delete(name);
          } else {
            list.add(next);
            plain.set(name, next);
          }
        }
        const sorted = [...plain.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
        expect(list.size).toBe(sorted.length);
        sorted.forEach((entry, index) => {
          if (list.before(entry) !== index) throw new Error(`${list.before(entry)} before ${entry.id}, not ${index}`);
        });
        expect(list.before({ createdAt: 99, id: 'absent' })).toBe(sorted.length);
      }),
      { numRuns: 60 },
    );
  });

  it('in a queue: priority first, then age, then id', () => {
    const waiting = fc.record({
      id: fc.integer({ min: 0, max: 500 }).map(String),
      createdAt: fc.integer({ min: 0, max: 9 }),
      priority: fc.constantFrom(-1, 0, 5),
      queue: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(waiting, { selector: (task) => task.id }), (tasks) => {
        const positions = new QueuePositions();
        const all = tasks.map(({ id, createdAt, priority, queue }) => ({
          id,
          createdAt,
          spec: taskSpecSchema.parse({ name: 'n', image: 'busybox', priority, queue }),
        }));
        for (const task of all) positions.add(task);
        for (const task of all) {
          const before = all.filter(
            (other) =>
              other.spec.queue === task.spec.queue &&
              (other.spec.priority > task.spec.priority ||
                (other.spec.priority === task.spec.priority &&
                  (other.createdAt < task.createdAt || (other.createdAt === task.createdAt && other.id < task.id)))),
          );
          expect(positions.before(task)).toBe(before.length);
        }
        for (const task of all) positions.remove(task);
        for (const task of all) expect(positions.before(task)).toBe(0);
      }),
    );
  });
});

describe('board', () => {
  const event = (kind: number, attempt: number): TaskEvent[] => {
    const assigned: TaskEvent = {
      type: 'TaskAssigned',
      data: { attempt, workerId: 'w', workerName: 'w', leaseMs: 1, gpuIds: [], assignedAt: 2 },
    };
    const failure = { class: 'infrastructure' as const, message: 'lost' };
    switch (kind) {
      case 0:
        return [assigned];
      case 1:
        return [assigned, { type: 'TaskStarted', data: { attempt, startedAt: 3, containerId: 'c' } }];
      case 2:
        return [assigned, { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: 4 } }];
      default:
        return [
          assigned,
          {
            type: 'TaskRequeued',
            data: { endedAttempt: attempt, nextAttempt: attempt + 1, failure, notBefore: 4, at: 4, usedRetry: false },
          },
        ];
    }
  };

  it('counts what it holds, and commits seen twice (own and echo) once', () => {
    const tasks = fc.array(
      fc.record({
        owner: fc.constantFrom('ada', 'bob'),
        kinds: fc.array(fc.nat(3), { maxLength: 3 }),
        own: fc.boolean(),
        remove: fc.boolean(),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(tasks, (drawn) => {
        const board = new TaskBoard();
        const stream: StoredCommit[] = [];
        drawn.forEach(({ owner, kinds, own, remove }, index) => {
          const spec = taskSpecSchema.parse({ name: 'n', image: 'busybox' });
          const commits: TaskEvent[][] = [
            [{ type: 'TaskSubmitted', data: { ownerId: owner, ownerName: owner, spec, submittedAt: index } }],
          ];
          for (const kind of kinds) {
            if (commits.at(-1)?.some(({ type }) => type === 'TaskSucceeded')) break;
            commits.push(event(kind, commits.length));
          }
          if (remove) commits.push([{ type: 'TaskDeleted', data: { deletedBy: owner, at: 9 } }]);
          commits.forEach((events, at) => {
            const stored = {
              commit: { aggregateId: `t${index}`, version: at + 1, events },
              streamSequence: stream.length + 1,
              subject: '',
            } as unknown as StoredCommit;
            stream.push(stored);
            if (own) board.absorb(stored, 'own');
          });
        });
        for (const stored of stream) board.absorb(stored, 'stream');
        for (const owner of [null, 'ada', 'bob']) {
          const listed = board.list({
            visibleTo: owner,
            filter: {},
            sort: 'created',
            descending: false,
            limit: 200,
            now: NOW,
          });
          const counts = Object.fromEntries(
            taskStatuses.map((status) => [status, listed.filter((task) => task.status === status).length]),
          );
          expect(board.countByStatus(owner)).toEqual(counts);
        }
        drawn.forEach(({ remove }, index) => expect(board.get(`t${index}`) === undefined).toBe(remove));
      }),
      { numRuns: 500 },
    );
  });
});

describe('board memory', () => {
  const commit = (id: string, version: number, events: TaskEvent[], streamSequence: number) =>
    ({ commit: { aggregateId: id, version, events }, streamSequence, subject: '' }) as unknown as StoredCommit;
  const submit = (id: string, streamSequence: number) =>
    commit(
      id,
      1,
      [
        {
          type: 'TaskSubmitted',
          data: {
            ownerId: 'ada',
            ownerName: 'Ada',
            spec: taskSpecSchema.parse({ name: 'n', image: 'b' }),
            submittedAt: 1,
          },
        },
      ],
      streamSequence,
    );
  const cancel = (id: string, streamSequence: number) =>
    commit(id, 2, [{ type: 'TaskCancelled', data: { attempt: 0, finishedAt: 2 } }], streamSequence);
  const statuses = (board: TaskBoard): Partial<Record<TaskStatus, number>> =>
    Object.fromEntries(Object.entries(board.countByStatus(null)).filter(([, count]) => count > 0));

  it('keeps every active task and the newest ended ones', () => {
    const board = new TaskBoard({ endedKept: 2 });
    for (let index = 0; index < 5; index += 1) {
      board.absorb(submit(`t${index}`, index * 2 + 1), 'stream');
      board.absorb(submit(`active${index}`, 100 + index), 'stream');
      board.absorb(cancel(`t${index}`, index * 2 + 2), 'stream');
    }
    expect(statuses(board)).toEqual({ queued: 5, cancelled: 2 });
    expect([0, 1, 2, 3, 4].map((index) => board.get(`t${index}`)?.status)).toEqual([
      undefined,
      undefined,
      undefined,
      'cancelled',
      'cancelled',
    ]);
    board.absorb(commit('t0', 3, [{ type: 'TaskDeleted', data: { deletedBy: 'Ada', at: 3 } }], 200), 'stream');
    expect(statuses(board)).toEqual({ queued: 5, cancelled: 2 });
  });

  it('does not show a deleted task again when the older echoes of its own commits arrive', () => {
    const board = new TaskBoard();
    const life = [
      submit('t', 1),
      cancel('t', 2),
      commit('t', 3, [{ type: 'TaskDeleted', data: { deletedBy: 'Ada', at: 3 } }], 3),
    ];
    for (const stored of life) board.absorb(stored, 'own');
    for (const stored of life) {
      board.absorb(stored, 'stream');
      expect(board.get('t')).toBeUndefined();
    }
    expect(board.size).toBe(0);
  });
});
