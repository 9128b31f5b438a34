import type { Commit, DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { deterministicId } from '@gantry/kernel/ids';

export const START = Date.UTC(2026, 0, 1);

export function commitOf<E extends DomainEvent>(
  stream: string,
  aggregateId: string,
  version: number,
  events: readonly E[],
  change: Partial<Commit<E>> = {},
): Commit<E> {
  return {
    id: deterministicId(stream, aggregateId, String(version)),
    stream,
    aggregateId,
    version,
    schemaVersion: 1,
    occurredAt: START + version,
    actor: { kind: 'user', id: 'u1', name: 'Ada', role: 'user' },
    correlationId: 'c1',
    causationId: 'r1',
    events,
    ...change,
  };
}

export const taskCommit = (taskId: string, version: number, ...events: TaskEvent[]): Commit<TaskEvent> =>
  commitOf(streams.tasks.name, taskId, version, events);

export interface SubmittedTask {
  ownerId?: string;
  name?: string;
  tags?: string[];
  queue?: string;
  submittedAt?: number;
}

export function taskSubmitted({
  ownerId = 'u1',
  name = 'train',
  tags = [],
  queue = 'default',
  submittedAt = START,
}: SubmittedTask = {}): TaskEvent {
  const spec = taskSpecSchema.parse({ name, image: 'busybox:latest', tags, queue });
  return { type: 'TaskSubmitted', data: { ownerId, ownerName: ownerId, spec, submittedAt } };
}

export const taskAssigned = (workerId = 'w1', attempt = 1): TaskEvent => ({
  type: 'TaskAssigned',
  data: { attempt, workerId, workerName: workerId, leaseMs: 60_000, gpuIds: [], assignedAt: START + 1_000 },
});

export const taskStarted = (startedAt: number, attempt = 1): TaskEvent => ({
  type: 'TaskStarted',
  data: { attempt, startedAt, containerId: 'c1' },
});

export const taskSucceeded = (finishedAt: number, attempt = 1): TaskEvent => ({
  type: 'TaskSucceeded',
  data: { attempt, exitCode: 0, finishedAt },
});

export const taskFailed = (finishedAt: number, attempt = 1): TaskEvent => ({
  type: 'TaskFailed',
  data: { attempt, exitCode: 1, failure: { class: 'user_exit', message: 'Exit code 1.' }, finishedAt },
});

/** A message as a consumer would see it. */
export function messageOf(subject: string, streamSequence: number, body: unknown): StreamMessage {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return {
    subject,
    streamSequence,
    timestampMs: START,
    redeliveries: 0,
    bytes,
    json: () => JSON.parse(bytes.toString()) as unknown,
  };
}

export const taskMessage = (streamSequence: number, commit: Commit<TaskEvent>): StreamMessage =>
  messageOf(subjects.task(commit.aggregateId), streamSequence, commit);

export const storedOf = (streamSequence: number, commit: Commit<TaskEvent>): StoredCommit<TaskEvent> => ({
  commit,
  streamSequence,
  subject: subjects.task(commit.aggregateId),
});
