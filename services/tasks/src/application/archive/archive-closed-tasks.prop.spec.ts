import { randomBytes } from 'node:crypto';
import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import { subjects } from '@gantry/contracts/messaging/streams';
import { MAX_SEGMENT_BYTES } from '@gantry/contracts/tasks/archive-segment';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { isTerminal } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { InMemoryEventStore } from '@gantry/event-sourcing/in-memory-event-store';
import { createLogger } from '@gantry/nest-platform/logger';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchivedTaskStore } from '../../adapters/out/archived-task.store.js';
import { ArchiveClosedTasks, type ArchiveLimits } from './archive-closed-tasks.js';
import { ClosedTaskScan } from './closed-task.scan.js';
import { type AtEachStep, Crash, MemoryTaskArchive, MemoryTaskStream } from './memory-archive.fixture.js';
import { Removals } from './removals.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });
const spec = taskSpecSchema.parse({ name: 'train', image: 'busybox' });
const noMetrics = { archived: () => undefined, removed: () => undefined };

/** The life of a task: some attempts, perhaps an end, perhaps something after it. */
interface Life {
  readonly attempts: number;
  readonly end: 'succeeded' | 'cancelled' | 'none';
  readonly after: readonly ('late' | 'deleted')[];
}
const lifeArbitrary: fc.Arbitrary<Life> = fc.record({
  attempts: fc.integer({ min: 0, max: 3 }),
  end: fc.constantFrom('succeeded' as const, 'succeeded' as const, 'cancelled' as const, 'none' as const),
  after: fc.subarray(['late', 'deleted'] as const),
});

function eventsOf({ attempts, end, after }: Life): TaskEvent[] {
  const events: TaskEvent[] = [
    { type: 'TaskSubmitted', data: { ownerId: 'ada', ownerName: 'Ada', spec, submittedAt: 1 } },
  ];
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const assigned = { attempt, workerId: 'w', workerName: 'w', leaseMs: 1, gpuIds: [], assignedAt: attempt };
    events.push({ type: 'TaskAssigned', data: assigned });
    events.push({ type: 'TaskStarted', data: { attempt, startedAt: attempt, containerId: 'c' } });
  }
  if (end === 'none') return events;
  if (end === 'cancelled') events.push({ type: 'TaskCancelled', data: { attempt: attempts, finishedAt: 9 } });
  else events.push({ type: 'TaskSucceeded', data: { attempt: attempts, exitCode: 0, finishedAt: 9 } });
  for (const one of after) {
    if (one === 'late')
      events.push({ type: 'StaleReportIgnored', data: { attempt: 1, workerId: 'w', report: 'x', at: 10 } });
    else events.push({ type: 'TaskDeleted', data: { deletedBy: 'Ada', at: 11 } });
  }
  return events;
}

const commitOf = (taskId: string, version: number, event: TaskEvent): Commit<TaskEvent> => ({
  id: `${taskId}:${version}`,
  stream: 'TASKS',
  aggregateId: taskId,
  version,
  schemaVersion: 1,
  occurredAt: version,
  actor: { kind: 'service', id: 'test' },
  correlationId: '',
  causationId: '',
  events: [event],
});
const fold = (commits: readonly StoredCommit<TaskEvent>[]): TaskView | undefined =>
  commits.reduce<TaskView | undefined>((view, stored) => foldTaskCommit(view, stored), undefined);

/** All that there is, and processes that come and go. */
class World {
  readonly whole = new Map<string, StoredCommit<TaskEvent>[]>();
  readonly stream: MemoryTaskStream;
  readonly archive: MemoryTaskArchive;
  now = 0;
  private worker: ArchiveClosedTasks;

  constructor(
    step: AtEachStep,
    private readonly limits: ArchiveLimits,
  ) {
    const seen: AtEachStep = () => {
      this.checkColdReader();
      step();
    };
    this.stream = new MemoryTaskStream(seen);
    this.archive = new MemoryTaskArchive(seen);
    this.worker = this.newWorker();
  }

  append(taskId: string, event: TaskEvent): void {
    const known = this.whole.get(taskId) ?? [];
    const commit = commitOf(taskId, known.length + 1, event);
    const streamSequence = this.stream.append(commit, this.now);
    this.whole.set(taskId, [...known, { commit, streamSequence, subject: subjects.task(taskId) }]);
  }

  async step(): Promise<void> {
    this.now += 7;
    try {
      await this.worker.step();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.worker = this.newWorker();
    }
  }

  /** Whoever knows only what the stream still holds never takes a task that has ended for one that waits or runs. */
  checkColdReader(): void {
    for (const [taskId, commits] of this.whole) {
      const present = this.stream.storedOf(taskId);
      const full = fold(commits);
      if (full === undefined || !isTerminal(full.status) || present[0]?.commit.version !== 1) continue;
      expect(isTerminal(fold(present)!.status), `${taskId} looks open`).toBe(true);
    }
  }

  /** The stream as the tasks service reads it. */
  store(): ArchivedTaskStore {
    const present = new InMemoryEventStore<TaskEvent>();
    present.load = (subject) => Promise.resolve(this.stream.storedOf(subject.split('.').at(-1)!));
    return new ArchivedTaskStore(present, this.archive);
  }

  private newWorker(): ArchiveClosedTasks {
    const { stream, archive, limits } = this;
    return new ArchiveClosedTasks({
      stream,
      archive,
      scan: new ClosedTaskScan(stream, archive, logger),
      removals: new Removals(stream, { removeAfterMs: 10, frontPatienceMs: 5 }, () => this.now),
      limits,
      activeTasks: () => [...this.whole.values()].filter((commits) => !isTerminal(fold(commits)!.status)).length,
      clock: { now: () => this.now },
      metrics: noMetrics,
      logger,
    });
  }
}

describe('archiving', () => {
  it('keeps every history whole and lets no ended task look open, wherever it is cut off', async () => {
    const world = fc.record({
      lives: fc.array(lifeArbitrary, { minLength: 1, maxLength: 12 }),
      order: fc.infiniteStream(fc.nat()),
      crashes: fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { maxLength: 12 }),
      stepEvery: fc.integer({ min: 1, max: 9 }),
      keepTasks: fc.constantFrom(0, 3, 1_000),
      lingerMs: fc.constantFrom(0, 30),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ lives, order, crashes, stepEvery, keepTasks, lingerMs }) => {
        let effects = 0;
        const crash = (): void => {
          effects += 1;
          if (crashes.includes(effects)) throw new Crash();
        };
        const system = new World(crash, { keepMs: 20, keepTasks, lingerMs });
        const open = lives.map((life, index) => ({ taskId: `task-${index}`, events: eventsOf(life) }));
        for (let turn = 0; open.some(({ events }) => events.length > 0); turn += 1) {
          const left = open.filter(({ events }) => events.length > 0);
          const { taskId, events } = left[order.next().value! % left.length]!;
          system.append(taskId, events.shift()!);
          if (turn % stepEvery === 0) await system.step();
        }
        system.append('newest', eventsOf({ attempts: 0, end: 'none', after: [] })[0]!);
        for (let turn = 0; turn < 200; turn += 1) await system.step();
        const store = system.store();
        for (const [taskId, commits] of system.whole) {
          expect(await store.load(subjects.task(taskId))).toEqual(commits);
          const ended = isTerminal(fold(commits)!.status);
          expect(system.stream.storedOf(taskId), taskId).toHaveLength(ended ? 0 : commits.length);
        }
        const archived = system.archive.segments.flat().flatMap(({ commits: all }) => all.map((one) => one.sequence));
        expect(new Set(archived).size).toBe(archived.length);
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });

  it('leaves what is young and not too many', async () => {
    const system = new World(() => undefined, { keepMs: 1_000, keepTasks: 2, lingerMs: 0 });
    for (let task = 0; task < 5; task += 1)
      for (const event of eventsOf({ attempts: 1, end: 'succeeded', after: [] })) system.append(`task-${task}`, event);
    system.append('newest', eventsOf({ attempts: 0, end: 'none', after: [] })[0]!);
    for (let turn = 0; turn < 10; turn += 1) await system.step();
    const present = [...system.whole.keys()].filter((taskId) => system.stream.storedOf(taskId).length > 0);
    expect(present).toEqual(['task-3', 'task-4', 'newest']);
    system.now = 2_000;
    for (let turn = 0; turn < 10; turn += 1) await system.step();
    expect(system.stream.commits).toHaveLength(1);
  });

  it('keeps what is too large for a segment where it is, and archives its neighbours', async () => {
    const system = new World(() => undefined, { keepMs: 1, keepTasks: 0, lingerMs: 0 });
    const noise = randomBytes(MAX_SEGMENT_BYTES).toString('base64');
    for (const taskId of ['small', 'huge', 'other'])
      for (const event of eventsOf({ attempts: 0, end: 'cancelled', after: [] })) {
        const large = taskId === 'huge' && event.type === 'TaskSubmitted';
        system.append(taskId, large ? { ...event, data: { ...event.data, ownerName: noise } } : event);
      }
    system.append('newest', eventsOf({ attempts: 0, end: 'none', after: [] })[0]!);
    for (let turn = 0; turn < 10; turn += 1) await system.step();
    expect(system.stream.storedOf('huge')).toHaveLength(2);
    expect(system.stream.storedOf('small')).toEqual([]);
    expect(system.stream.storedOf('other')).toEqual([]);
  });

  it('goes on past what is no commit, and leaves a task alone of which something is held aside', async () => {
    const stream = new MemoryTaskStream();
    const archive = new MemoryTaskArchive(() => undefined);
    const ended = (taskId: string): void =>
      eventsOf({ attempts: 1, end: 'succeeded', after: [] }).forEach((event, index) =>
        stream.append(commitOf(taskId, index + 1, event)),
      );
    ended('first');
    const [submitted] = eventsOf({ attempts: 0, end: 'none', after: [] });
    for (const text of ['not JSON', 'null', '{"no":"commit"}']) {
      stream.append(commitOf('strange', 1, submitted!));
      stream.commits.push({ ...stream.commits.pop()!, bytes: Buffer.from(text) });
    }
    ended('held');
    ended('last');
    const scan = new ClosedTaskScan(stream, archive, logger, (taskId) => taskId === 'held');
    await scan.goOn({ now: 1, beforeSequence: Number.MAX_SAFE_INTEGER, storedBefore: 1, regardlessOfAge: 0 });
    expect(scan.draft.list().map(({ taskId }) => taskId)).toEqual(['first', 'last']);
  });
});
