import { randomUUID } from 'node:crypto';
import type { InputOf, RequestContract } from '@gantry/contracts/messaging/request';
import {
  cancelTask,
  countTasks,
  deleteTask,
  getArtifact,
  getTask,
  getTaskHistory,
  listRecentTasks,
  readArtifact,
  retryTask,
} from '@gantry/contracts/tasks/task-requests';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams } from '@gantry/contracts/messaging/streams';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import type { RunningService } from '@gantry/jetstream/nest/start-service';
import { StreamBarrier } from '@gantry/jetstream/stream-barrier';
import { GantryError } from '@gantry/kernel/gantry-error';
import { eventually } from '@gantry/testing/eventually';
import { startTestService } from '@gantry/testing/service-fixture';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TaskBoard } from './projections/task-board/task-board.projection.js';
import { ada, as, TasksSystem } from './tasks-system.fixture.js';
import { TasksModule } from './tasks.module.js';

/** Two processes' worth of the service on one broker; which of them gets a request or a report is the broker's choice. */
let system: TasksSystem;
let second: RunningService;

beforeAll(async () => {
  system = await TasksSystem.start();
  second = await startTestService({ name: 'tasks', module: TasksModule, natsUrl: system.nats.url });
});

afterAll(async () => {
  await second.stop();
  await system.stop();
});

const visible = { visibleTo: ada.id };

async function inStream(): Promise<Map<string, StoredCommit<TaskEvent>[]>> {
  const byTask = new Map<string, StoredCommit<TaskEvent>[]>();
  const stop = new AbortController();
  await new JetStreamEventStore<TaskEvent>(system.service.nc, streams.tasks).follow({
    fromSequence: 1,
    onCommit: (stored) => {
      byTask.set(stored.commit.aggregateId, [...(byTask.get(stored.commit.aggregateId) ?? []), stored]);
    },
    onCaughtUp: () => stop.abort(),
    signal: stop.signal,
  });
  return byTask;
}

const typesOf = (commits: readonly StoredCommit<TaskEvent>[]) =>
  commits.flatMap(({ commit }) => commit.events.map(({ type }) => type));

describe('two replicas', () => {
  it('show at once, whichever is asked, what either of them has stored', async () => {
    const stale: string[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async (_, user) => {
        for (let round = 0; round < 25; round += 1) {
          const { task } = await system.submit({ name: `read-${user}-${round}` });
          const [{ task: got }, { tasks: listed }] = await Promise.all([
            system.client.request(getTask, { taskId: task.id, ...visible }, as(ada)),
            system.client.request(
              listRecentTasks,
              { ...visible, filter: { search: task.id }, sort: 'created', descending: true, limit: 1, now: Date.now() },
              as(ada),
            ),
          ]);
          if (got.version < 1 || listed[0]?.id !== task.id) stale.push(`${task.id} not listed`);
          const cancelled = await system.client.request(cancelTask, { taskId: task.id, ...visible }, as(ada));
          const after = await system.client.request(getTask, { taskId: task.id, ...visible }, as(ada));
          if (cancelled.status !== 'cancelled' || after.task.status !== 'cancelled')
            stale.push(`${task.id} not cancelled`);
          // Refused by a replica that still believes it runs.
          await system.client.request(retryTask, { taskId: task.id, ...visible }, as(ada));
        }
      }),
    );
    expect(stale).toEqual([]);
    const { byStatus } = await system.client.request(countTasks, visible, as(ada));
    expect(byStatus).toMatchObject({ cancelled: 200, queued: 200 });
  });

  it('make one task of one key, however many submit it at the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 160 }, (_, index) =>
        system.submit({ name: 'keyed' }, { idempotencyKey: `key-${index % 40}` }).then((answer) => ({ index, answer })),
      ),
    );
    for (let key = 0; key < 40; key += 1) {
      const ofKey = answers.filter(({ index }) => index % 40 === key).map(({ answer }) => answer);
      expect(new Set(ofKey.map(({ task }) => task.id)).size).toBe(1);
      expect(ofKey.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    }
  });

  it('record every assignment and report once and none too few, though each reaches either of them', async () => {
    const tasks = await Promise.all(
      Array.from({ length: 60 }, (_, index) => system.submit({ name: `life-${index}`, retries: 1 })),
    );
    await Promise.all(
      tasks.map(async ({ task }, index) => {
        const worker = `w${index % 5}`;
        // Without a pause: the reports of an attempt and the assignment of the next one are on their way together.
        await system.assign(task, 1, worker);
        await system.report(task.id, { type: 'accepted' }, 1, worker);
        await system.report(task.id, { type: 'started', startedAt: Date.now(), containerId: 'c' }, 1, worker);
        await system.report(task.id, { type: 'rejected', message: 'no room' }, 1, worker);
        await eventually(async () => expect((await system.get(task.id)).attempt).toBe(2));
        await system.assign(task, 2, worker);
        await system.report(task.id, { type: 'started', startedAt: Date.now(), containerId: 'c' }, 2, worker);
        await system.exit(task.id, 0, 2, worker);
      }),
    );
    await Promise.all(tasks.map(({ task }) => system.until(task.id, 'succeeded')));
    const stored = await inStream();
    for (const { task } of tasks) {
      const commits = stored.get(task.id) ?? [];
      expect(commits.map(({ commit }) => commit.version)).toEqual(commits.map((_, index) => index + 1));
      const types = typesOf(commits);
      expect(types.filter((type) => type === 'TaskAssigned')).toHaveLength(2);
      expect(types.filter((type) => type === 'TaskRequeued')).toHaveLength(1);
      expect(types.filter((type) => type === 'TaskSucceeded')).toHaveLength(1);
    }
  });

  it('answer no question about the board before it shows what was stored when the question came', async () => {
    const { task } = await system.submit({ name: 'behind' });
    const barriers = [system.service, second].map(({ app }) => app.get(StreamBarrier));
    const behind = new GantryError('STORE.BEHIND', 'unavailable', 'Try again.');
    const stalled = barriers.map((barrier) => vi.spyOn(barrier, 'reach').mockRejectedValue(behind));
    const one = { taskId: task.id, ...visible };
    const list = { ...visible, filter: {}, sort: 'created' as const, descending: true, limit: 1, now: Date.now() };
    const file = { ...one, artifactId: randomUUID() };
    const ask =
      <C extends RequestContract>(contract: C, input: InputOf<C>) =>
      () =>
        system.client.request(contract, input, as(ada));
    const reads = [
      ask(getTask, one),
      ask(getTaskHistory, one),
      ask(cancelTask, one),
      ask(retryTask, one),
      ask(deleteTask, one),
      ask(listRecentTasks, list),
      ask(countTasks, visible),
      ask(getArtifact, file),
      ask(readArtifact, { ...file, offset: 0, length: 1 }),
    ];
    try {
      for (const read of reads) await expect(read()).rejects.toMatchObject({ code: 'STORE.BEHIND', retryable: true });
      await system.submit({ name: 'needs no look' });
    } finally {
      for (const spy of stalled) spy.mockRestore();
    }
  });

  it('end with equal boards, which are the fold of the stream', async () => {
    const stored = await inStream();
    const boards = [system.service.app.get(TaskBoard), second.app.get(TaskBoard)];
    await system.client.request(countTasks, visible, as(ada));
    for (const [id, commits] of stored) {
      const folded = commits.reduce<TaskView | undefined>((view, commit) => foldTaskCommit(view, commit), undefined);
      for (const board of boards) await eventually(() => Promise.resolve(expect(board.get(id)).toEqual(folded)));
    }
    expect(boards[0]?.countByStatus(null)).toEqual(boards[1]?.countByStatus(null));
  });
});
