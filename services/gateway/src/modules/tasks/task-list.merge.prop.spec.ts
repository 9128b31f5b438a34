import fc from 'fast-check';
import { expect, it } from 'vitest';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { isTerminal, taskStatuses, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { TaskListInput, TaskSort } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import type { RequestContract } from '@gantry/contracts/messaging/request';
import { listRecentTasks } from '@gantry/contracts/tasks/task-requests';
import { ManualClock } from '@gantry/kernel/clock';
import { ServiceClient, type ServiceRequests } from '../../adapters/service-client.js';
import type { Caller } from '../../security/caller.js';
import { compareInOrder, matchesFilter, positionOf } from './task-list.order.js';
import { TaskListQuery } from './task-list.query.js';

const NOW = 1_000_000;
const spec = taskSpecSchema.parse({ name: 'x', image: 'busybox' });

function view(
  index: number,
  version: number,
  status: TaskStatus,
  createdAt: number,
  startedAt: number | null,
): TaskView {
  return {
    id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    version,
    ownerId: 'u',
    ownerName: 'u',
    spec,
    retryOf: null,
    status,
    attempt: 1,
    attempts: [],
    message: null,
    progressPercent: null,
    workerId: null,
    workerName: null,
    exitCode: null,
    failure: null,
    cancelRequestedAt: null,
    createdAt,
    queuedAt: createdAt,
    notBefore: null,
    startedAt,
    finishedAt: isTerminal(status) && startedAt !== null ? startedAt + 10 : null,
    usage: null,
    retriesUsed: 0,
    artifacts: [],
    deleted: false,
  };
}

/** One task: its true state, whether the tasks service still holds it, and what the index knows (nothing, an old state, or the truth). */
const taskArbitrary = fc.record({
  history: fc.array(fc.constantFrom(...taskStatuses.slice(0, 4)), { minLength: 1, maxLength: 3 }),
  end: fc.option(fc.constantFrom(...taskStatuses.slice(4)), { nil: undefined }),
  createdAt: fc.integer({ min: 0, max: 20 }),
  startedAt: fc.option(fc.integer({ min: 20, max: 40 }), { nil: null }),
  held: fc.boolean(),
  indexed: fc.constantFrom('no', 'old', 'yes'),
});

interface Task {
  truth: TaskView;
  held: boolean;
  indexed: TaskView | undefined;
}

const world = fc.array(taskArbitrary, { maxLength: 40 }).map((rows) =>
  rows.map(({ history, end, createdAt, startedAt, held, indexed }, index): Task => {
    const statuses = end === undefined ? history : [...history, end];
    const versions = statuses.map((status, at) => view(index, at + 1, status, createdAt, at === 0 ? null : startedAt));
    const truth = versions.at(-1) ?? view(index, 1, 'queued', createdAt, null);
    const active = !isTerminal(truth.status);
    // The service holds every active task; what it forgot, the index has caught up with.
    const isHeld = active || held;
    return {
      truth,
      held: isHeld,
      indexed:
        !isHeld || indexed === 'yes' ? truth : indexed === 'old' && versions.length > 1 ? versions[0] : undefined,
    };
  }),
);

function answer(
  views: readonly TaskView[],
  { filter, sort, descending, after, limit, now }: TaskListInput,
): TaskView[] {
  const place = (task: TaskView) => positionOf(task, sort, now);
  return views
    .filter(
      (task) =>
        matchesFilter(task, filter) && (after === undefined || compareInOrder(after, place(task), descending) < 0),
    )
    .sort((a, b) => compareInOrder(place(a), place(b), descending))
    .slice(0, limit);
}

class FakeRequests implements ServiceRequests {
  constructor(private readonly tasks: readonly Task[]) {}

  async request(contract: RequestContract, input: unknown): Promise<never> {
    const views =
      contract.subject === listRecentTasks.subject
        ? this.tasks.filter(({ held }) => held).map(({ truth }) => truth)
        : this.tasks.flatMap(({ indexed }) => (indexed === undefined ? [] : [indexed]));
    return { tasks: answer(views, input as TaskListInput) } as never;
  }

  requestBytes(): Promise<never> {
    throw new Error('not asked here');
  }
}

const caller: Caller = {
  principal: {
    userId: 'u',
    name: 'u',
    email: '',
    role: 'admin',
    via: 'session',
    sessionId: null,
    scopes: null,
    mustChangePassword: false,
    expiresAt: null,
  },
  rejection: null,
  ip: '',
  userAgent: '',
  correlationId: '',
};

it('lists every task once, in order, whatever the index has not seen yet', async () => {
  const filters = fc.option(fc.subarray([...taskStatuses], { minLength: 1 }), { nil: undefined });
  const sorts = fc.constantFrom<TaskSort>('created', 'status', 'duration');
  await fc.assert(
    fc.asyncProperty(
      world,
      filters,
      sorts,
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      async (tasks, statuses, sort, descending, first) => {
        const query = new TaskListQuery(
          new ServiceClient(new FakeRequests(tasks)),
          () => undefined,
          new ManualClock(NOW),
        );
        const filter = statuses === undefined ? {} : { statuses };
        const seen: TaskView[] = [];
        let after: string | undefined;
        for (let page = 0; page < 500; page += 1) {
          const answered = await query.page(
            { filter, sort, descending, first, ...(after === undefined ? {} : { after }) },
            caller,
          );
          expect(answered.degraded).toBe(false);
          seen.push(...answered.tasks);
          if (!answered.hasNextPage || answered.endCursor === null) break;
          after = answered.endCursor;
        }
        const expected = tasks
          .map(({ truth }) => truth)
          .filter((task) => matchesFilter(task, filter))
          .sort((a, b) => compareInOrder(positionOf(a, sort, NOW), positionOf(b, sort, NOW), descending));
        expect(seen.map(({ id, version }) => [id, version])).toEqual(expected.map(({ id, version }) => [id, version]));
      },
    ),
    { numRuns: 400 },
  );
});
