import { expect, it } from 'vitest';
import type { StoredCommit } from '@gantry/contracts/messaging/commit';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import { GantryError } from '@gantry/kernel/gantry-error';
import { createLogger } from '@gantry/nest-platform/logger';
import { TaskFeed } from './task-feed.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });
const submitted: TaskEvent = {
  type: 'TaskSubmitted',
  data: { ownerId: 'u', ownerName: 'u', spec: taskSpecSchema.parse({ name: 'x', image: 'busybox' }), submittedAt: 1 },
};
const progress = (percent: number): TaskEvent => ({ type: 'TaskProgressed', data: { attempt: 1, percent, at: 1 } });

function commit(version: number, event: TaskEvent): StoredCommit {
  return {
    streamSequence: version,
    subject: 'tasks.1.t',
    commit: {
      id: `${version}`,
      stream: 'TASKS',
      aggregateId: 't',
      version,
      schemaVersion: 1,
      occurredAt: 1,
      actor: { kind: 'anonymous' },
      correlationId: '',
      causationId: '',
      events: [event],
    },
  };
}
const history = [commit(1, submitted), commit(2, progress(10)), commit(3, progress(20)), commit(4, progress(30))];
const viewAt = (version: number) =>
  history.slice(0, version).reduce<TaskView | undefined>(foldTaskCommit, undefined) as TaskView;

it('folds what it has seen from the start, ignores repeats, and asks for what it has not', async () => {
  let asked = 0;
  const feed = new TaskFeed(async () => ((asked += 1), viewAt(4)), logger);
  const { queue } = feed.subscribe({ taskId: 't', matches: () => true });
  const signal = new AbortController().signal;
  for (const stored of [history[0], history[1], history[0], history[1]]) if (stored !== undefined) feed.apply(stored);
  expect((await queue.drain(signal)).map(({ task }) => task.version)).toEqual([2]);
  expect(asked).toBe(0);
  // Version 3 was not seen.
  if (history[3] !== undefined) feed.apply(history[3]);
  expect((await queue.drain(signal)).map(({ task }) => task.progressPercent)).toEqual([30]);
  expect(asked).toBe(1);
});

it('asks nobody when nobody listens', async () => {
  const feed = new TaskFeed(() => Promise.reject(new Error('must not be asked')), logger);
  if (history[2] !== undefined) feed.apply(history[2]);
  expect(feed.latest('t')).toBeUndefined();
});

it('waits out an outage of the tasks service', async () => {
  let asked = 0;
  const feed = new TaskFeed(async () => {
    asked += 1;
    if (asked < 3) throw new GantryError('SERVICE.UNAVAILABLE', 'unavailable', 'x');
    return viewAt(3);
  }, logger);
  const { queue } = feed.subscribe({ matches: () => true });
  if (history[2] !== undefined) feed.apply(history[2]);
  if (history[3] !== undefined) feed.apply(history[3]);
  const changes = await queue.drain(new AbortController().signal);
  expect(changes.map(({ task }) => [task.version, task.progressPercent])).toEqual([[4, 30]]);
});
