import { streams } from '@gantry/contracts/messaging/streams';
import { comparePositions, taskSortValue } from '@gantry/contracts/tasks/task-order';
import { taskListInputSchema } from '@gantry/contracts/tasks/task-requests';
import { type TaskStatus, taskStatuses } from '@gantry/contracts/tasks/task-status';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { deterministicId } from '@gantry/kernel/ids';
import { createLogger } from '@gantry/nest-platform/logger';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { foldContiguous } from '../../domain/task-index/task-folding.js';
import { EmbeddedDatabase } from '../../testing/embedded-database.js';
import {
  START,
  storedOf,
  taskAssigned,
  taskCommit,
  taskFailed,
  taskMessage,
  taskStarted,
  taskSubmitted,
  taskSucceeded,
} from '../../testing/stream-messages.js';
import { CommitArchiveProjection } from '../commit-archive/commit-archive.projection.js';
import { CommitArchiveReader } from '../commit-archive/commit-archive.reader.js';
import { ArchivedTaskReader } from './archived-task.reader.js';
import { MissingCommits } from './missing-commits.js';
import { SummaryReader } from './summary.reader.js';
import { TaskIndexProjection } from './task-index.projection.js';
import { TaskIndexReader } from './task-index.reader.js';

const NOW = START + 86_400_000;
const SECOND = 1_000;
let database: EmbeddedDatabase;
let reader: TaskIndexReader;

beforeAll(async () => {
  database = await EmbeddedDatabase.open();
  reader = new TaskIndexReader(database);
});
beforeEach(async () => {
  for (const table of ['task_index', 'commits']) await database.clickhouse.command(`TRUNCATE TABLE ${table}`);
});
afterAll(() => database.close());

/** A stream in memory in place of the broker, for what only the stream still has. */
class RememberedHistory {
  readonly commits: ReturnType<typeof storedOf>[] = [];
  loads = 0;
  load(subject: string) {
    this.loads += 1;
    return Promise.resolve(this.commits.filter((stored) => stored.subject === subject));
  }
}

const silent = createLogger('test', { level: 'silent', format: 'json' });

function newProjection(history = new RememberedHistory()) {
  const archive = new CommitArchiveProjection(database);
  const index = new TaskIndexProjection(
    database,
    reader,
    new MissingCommits(new CommitArchiveReader(database), history),
    silent,
  );
  return {
    history,
    async apply(messages: ReturnType<typeof taskMessage>[]) {
      await archive.apply(messages);
      await index.apply(messages);
    },
  };
}

const list = (input: Record<string, unknown>) =>
  reader.list(taskListInputSchema.parse({ visibleTo: null, now: NOW, ...input }));
const id = (name: string) => deterministicId('task', name);

/** The commits that bring a task into a status. */
function commitsFor(
  taskId: string,
  status: TaskStatus,
  submitted: Parameters<typeof taskSubmitted>[0] & { worker?: string; ranFor?: number },
) {
  const startedAt = (submitted.submittedAt ?? START) + 5 * SECOND;
  const finishedAt = startedAt + (submitted.ranFor ?? 60) * SECOND;
  const started: TaskEvent[] = [taskAssigned(submitted.worker), taskStarted(startedAt)];
  const rest: Record<TaskStatus, TaskEvent[]> = {
    queued: [],
    assigned: [taskAssigned(submitted.worker)],
    starting: [
      taskAssigned(submitted.worker),
      { type: 'TaskStarting', data: { attempt: 1, phase: 'pulling', at: startedAt } },
    ],
    running: started,
    succeeded: [...started, taskSucceeded(finishedAt)],
    failed: [...started, taskFailed(finishedAt)],
    cancelled: [{ type: 'TaskCancelled', data: { attempt: 0, finishedAt } }],
    timed_out: [...started, { type: 'TaskTimedOut', data: { attempt: 1, limitSeconds: 60, finishedAt } }],
  };
  return [taskSubmitted(submitted), ...rest[status]].map((event, index) => taskCommit(taskId, index + 1, event));
}

describe('lists', () => {
  const taskArbitrary = fc.record({
    status: fc.constantFrom(...taskStatuses),
    ownerId: fc.constantFrom('u1', 'u2'),
    name: fc.constantFrom('train', 'Train 2', 'render', 'ÜBUNG'),
    tags: fc.uniqueArray(fc.constantFrom('a', 'b', "it's")),
    queue: fc.constantFrom('default', 'gpu'),
    // Few different values, so that equal sort values are common.
    submittedAt: fc.integer({ min: 0, max: 5 }).map((hour) => START + hour * 3_600_000),
    ranFor: fc.integer({ min: 0, max: 3 }),
    worker: fc.constantFrom('w1', 'w2'),
    deleted: fc.constantFrom(false, false, false, true),
  });
  const queryArbitrary = fc.record({
    sort: fc.constantFrom('created' as const, 'status' as const, 'duration' as const),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 7 }),
    visibleTo: fc.constantFrom(null, 'u1'),
    filter: fc.record(
      {
        statuses: fc.uniqueArray(fc.constantFrom(...taskStatuses), { minLength: 1, maxLength: 4 }),
        ownerId: fc.constantFrom('u1', 'u2'),
        workerId: fc.constantFrom('w1', 'w2'),
        tag: fc.constantFrom('a', "it's"),
        queue: fc.constantFrom('default', 'gpu'),
        search: fc.constantFrom('TRAIN', 'übung', 'nothing such'),
      },
      { requiredKeys: [] },
    ),
  });
  type Query = typeof queryArbitrary extends fc.Arbitrary<infer T> ? T : never;

  function matches(view: TaskView, { filter, visibleTo }: Query): boolean {
    return (
      !view.deleted &&
      (visibleTo === null || view.ownerId === visibleTo) &&
      (filter.statuses?.includes(view.status) ?? true) &&
      (filter.ownerId ?? view.ownerId) === view.ownerId &&
      (filter.workerId ?? view.workerId) === view.workerId &&
      (filter.tag === undefined || view.spec.tags.includes(filter.tag)) &&
      (filter.queue ?? view.spec.queue) === view.spec.queue &&
      (filter.search === undefined || view.spec.name.toLowerCase().includes(filter.search.toLowerCase()))
    );
  }

  it('pages through any filter and order give exactly the naive sort, each row once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(taskArbitrary, { maxLength: 40 }),
        fc.array(queryArbitrary, { minLength: 3, maxLength: 3 }),
        async (tasks, queries) => {
          await database.clickhouse.command('TRUNCATE TABLE task_index');
          const projection = newProjection();
          const views: TaskView[] = [];
          const batches: ReturnType<typeof taskMessage>[][] = [[], []];
          tasks.forEach((task, number) => {
            const taskId = id(`${number}`);
            const commits = commitsFor(taskId, task.status, task);
            if (task.deleted)
              commits.push(
                taskCommit(taskId, commits.length + 1, { type: 'TaskDeleted', data: { deletedBy: 'u1', at: START } }),
              );
            const stored = commits.map((commit, place) => storedOf(number * 10 + place + 1, commit));
            const { view } = foldContiguous(undefined, stored);
            if (view !== undefined) views.push(view);
            // Two batches: old rows of the same task are in the table when it is read.
            stored.forEach(({ commit, streamSequence }, place) =>
              batches[place === 0 ? 0 : 1]?.push(taskMessage(streamSequence, commit)),
            );
          });
          for (const batch of batches) await projection.apply(batch);
          for (const query of queries) {
            const position = (view: TaskView) => ({ value: taskSortValue(view, query.sort, NOW), id: view.id });
            const expected = views
              .filter((view) => matches(view, query))
              .sort((a, b) => comparePositions(position(a), position(b)) * (query.descending ? -1 : 1));
            const found: TaskView[] = [];
            for (;;) {
              const lastRow = found.at(-1);
              const page = await list({ ...query, ...(lastRow === undefined ? {} : { after: position(lastRow) }) });
              found.push(...page);
              if (page.length < query.limit) break;
            }
            expect(found).toEqual(expected);
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('finds a task by the start of its id, in any case', async () => {
    const projection = newProjection();
    await projection.apply(
      ['one', 'two'].map((name, place) => taskMessage(place + 1, taskCommit(id(name), 1, taskSubmitted({ name })))),
    );
    expect(
      (await list({ filter: { search: id('two').slice(0, 8).toUpperCase() } })).map((task) => task.spec.name),
    ).toEqual(['two']);
  });

  it('lists what ever ran on a worker, also after it moved on', async () => {
    const projection = newProjection();
    const failure = { class: 'infrastructure' as const, message: 'lost' };
    await projection.apply(
      [
        taskCommit(id('moved'), 1, taskSubmitted()),
        taskCommit(id('moved'), 2, taskAssigned('w1')),
        taskCommit(id('moved'), 3, {
          type: 'TaskRequeued',
          data: { endedAttempt: 1, nextAttempt: 2, failure, notBefore: START, at: START, usedRetry: false },
        }),
        taskCommit(id('other'), 1, taskSubmitted({ ownerId: 'u2' }), taskAssigned('w2')),
      ].map((commit, place) => taskMessage(place + 1, commit)),
    );
    expect((await reader.ofWorker('w1', null, 10)).map((task) => task.id)).toEqual([id('moved')]);
    expect(await reader.ofWorker('w2', 'u1', 10)).toEqual([]);
  });
});

describe('folding', () => {
  const taskId = id('x');
  const commits = commitsFor(taskId, 'succeeded', {});
  const messages = commits.map((commit, place) => taskMessage(place + 1, commit));
  const versionOf = async () => (await reader.viewsOf([taskId]))[0]?.version;
  const part = (from: number, to?: number) => messages.slice(from, to);

  it('a batch that comes twice, or late, changes nothing', async () => {
    const projection = newProjection();
    await projection.apply(part(0, 2));
    await projection.apply(part(0, 4));
    await projection.apply(part(1, 2));
    expect(await versionOf()).toBe(4);
    expect(await list({})).toHaveLength(1);
    const [row] = await new CommitArchiveReader(database).commitsOf(streams.tasks.name, taskId);
    expect(row?.commit).toEqual(commits[0]);
    expect(await new CommitArchiveReader(database).commitsOf(streams.tasks.name, taskId)).toHaveLength(4);
  });

  it('goes on from the stored view after a restart', async () => {
    await newProjection().apply(part(0, 2));
    const restarted = newProjection();
    await restarted.apply(part(2));
    expect(await versionOf()).toBe(4);
    expect(restarted.history.loads).toBe(0);
  });

  it('fills a gap from the archive when another replica was faster', async () => {
    const [slow, fast] = [newProjection(), newProjection()];
    await slow.apply(part(0, 1));
    await fast.apply(part(1, 3));
    await slow.apply(part(3));
    expect(await versionOf()).toBe(4);
    expect(slow.history.loads).toBe(0);
  });

  it('fills a gap from the stream when the archive lacks it', async () => {
    const projection = newProjection();
    projection.history.commits.push(...commits.map((commit, place) => storedOf(place + 1, commit)));
    await projection.apply(part(0, 1));
    await projection.apply(part(3));
    expect((await reader.viewsOf([taskId]))[0]).toEqual(foldContiguous(undefined, projection.history.commits).view);
    expect(projection.history.loads).toBe(1);
  });

  it('waits for what another replica is about to archive instead of reading the stream for each task', async () => {
    const projection = newProjection();
    await projection.apply(part(0, 1));
    const late = projection.apply(part(3));
    await new CommitArchiveProjection(database).apply(part(1, 3));
    await late;
    expect(await versionOf()).toBe(4);
    expect(projection.history.loads).toBe(0);
  });

  it('a failed insert leaves nothing behind in memory', async () => {
    const broken = { use: () => Promise.reject(new Error('away')) };
    let target: { use: EmbeddedDatabase['use'] } = database;
    const index = new TaskIndexProjection(
      { use: (work) => target.use(work) },
      reader,
      new MissingCommits(new CommitArchiveReader(database), new RememberedHistory()),
      silent,
    );
    await index.apply(part(0, 1));
    target = broken;
    await expect(index.apply(part(1, 4))).rejects.toThrow('away');
    target = database;
    await index.apply(part(1, 4));
    expect(await versionOf()).toBe(4);
  });

  it('refuses a commit whose events do not fit, for good', async () => {
    const projection = newProjection();
    const wrong = taskMessage(9, taskCommit(id('wrong'), 1, { type: 'Nonsense', data: {} } as unknown as TaskEvent));
    await expect(
      projection.apply([taskMessage(8, taskCommit(id('wrong'), 1, taskSubmitted())), wrong]),
    ).resolves.toBeUndefined();
    const second = taskMessage(10, taskCommit(id('wrong'), 2, { type: 'Nonsense', data: {} } as unknown as TaskEvent));
    await expect(projection.apply([second])).rejects.toMatchObject({
      code: 'TELEMETRY.UNFOLDABLE_COMMIT',
      retryable: false,
    });
  });

  it('one task from the archive has its whole history; a stranger finds nothing', async () => {
    await newProjection().apply(messages);
    const archived = new ArchivedTaskReader(new CommitArchiveReader(database));
    const { task, entries } = await archived.read(taskId, 'u1');
    expect(task).toEqual((await reader.viewsOf([taskId]))[0]);
    expect(entries.map(({ type, version, actor }) => [type, version, actor])).toEqual([
      ['TaskSubmitted', 1, 'user Ada'],
      ['TaskAssigned', 2, 'service scheduler'],
      ['TaskStarted', 3, 'user Ada'],
      ['TaskSucceeded', 4, 'user Ada'],
    ]);
    await expect(archived.read(taskId, 'u2')).rejects.toMatchObject({ kind: 'not_found' });
    await expect(archived.read(id('never'), null)).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('summary', () => {
  it('counts, fills empty hours and averages what succeeded', async () => {
    const now = START + 30 * 3_600_000 + 1_000;
    const hourAgo = now - 3_600_000;
    const tasks = [
      commitsFor(id('1'), 'succeeded', { submittedAt: hourAgo, ranFor: 10 }),
      commitsFor(id('2'), 'succeeded', { submittedAt: hourAgo, ranFor: 20 }),
      commitsFor(id('3'), 'failed', { submittedAt: now - 60_000 - 5_000, ranFor: 60 }),
      commitsFor(id('4'), 'timed_out', { submittedAt: START, ranFor: 60 }),
      commitsFor(id('5'), 'queued', { submittedAt: now, ownerId: 'u2' }),
      [
        ...commitsFor(id('6'), 'failed', {}),
        taskCommit(id('6'), 5, { type: 'TaskDeleted', data: { deletedBy: 'u1', at: START } }),
      ],
    ];
    await newProjection().apply(tasks.flat().map((commit, place) => taskMessage(place + 1, commit)));
    const summary = new SummaryReader(database);
    const all = await summary.read(null, now);
    expect(all).toMatchObject({ total: 5, last24h: 4, averageDurationSeconds: 15 });
    expect(all.byStatus).toEqual({
      queued: 1,
      assigned: 0,
      starting: 0,
      running: 0,
      succeeded: 2,
      failed: 1,
      cancelled: 0,
      timed_out: 1,
    });
    expect(all.perHour).toHaveLength(24);
    expect(all.perHour.at(-1)).toEqual({ hour: START + 30 * 3_600_000, submitted: 1, succeeded: 0, failed: 1 });
    expect(all.perHour.at(-2)).toEqual({ hour: START + 29 * 3_600_000, submitted: 3, succeeded: 2, failed: 0 });
    expect(
      all.perHour.slice(0, -2).every(({ submitted, succeeded, failed }) => submitted + succeeded + failed === 0),
    ).toBe(true);
    expect(await summary.read('u2', now)).toMatchObject({ total: 1, last24h: 1, averageDurationSeconds: null });
    expect(await summary.read('nobody', now)).toMatchObject({ total: 0, last24h: 0, averageDurationSeconds: null });
  });
});
