import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { Commit, StoredCommit } from '@gantry/contracts/messaging/commit';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import {
  type AssignEvent,
  type AssignEventData,
  assignEventSchemas,
  type SchedEvent,
} from '@gantry/contracts/scheduling/assign-events';
import type { TaskEvent } from '@gantry/contracts/tasks/task-events';
import type { TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import { connectNats } from '@gantry/jetstream/connect';
import { followStream } from '@gantry/jetstream/follow-stream';
import { JetStreamEventStore } from '@gantry/jetstream/jetstream-event-store';
import { publishJson } from '@gantry/jetstream/publisher';
import { storedCommitOf } from '@gantry/jetstream/stored-commit';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { startNatsServer, type NatsServerFixture } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import type { NatsConnection } from '@nats-io/transport-node';
import { readEnvironment } from '../environment.js';
import { SchedulerModule, type SchedulerOptions } from '../scheduler.module.js';
import { heartbeat, taskSpec } from './samples.js';

/** Short enough for tests, long enough for a busy machine. */
const times: Partial<SchedulerOptions> = {
  timing: { heartbeatMs: 5_000, leaseMs: 60_000, lossAfterMs: (leaseMs) => leaseMs, forgetLostAfterMs: 3_600_000 },
  leaderTtlMs: 3_000,
  sweepMs: 100,
};

/** A broker with the test in the part of the tasks service and of the agents. */
export class TestPlatform {
  readonly assigned: AssignEventData<'TaskAssigned'>[] = [];
  readonly revoked: (AssignEventData<'AssignmentRevoked'> & { workerId: string })[] = [];
  readonly sched: SchedEvent[] = [];
  readonly withdrawn: AssignEventData<'TaskWithdrawn'>[] = [];
  readonly epochs: AssignEventData<'EpochStarted'>[] = [];
  /** Newest ASSIGN sequence per worker, as an agent would have applied it. */
  readonly applied = new Map<string, number>();
  onAssigned: ((data: AssignEventData<'TaskAssigned'>) => void) | undefined;
  private readonly stops: (() => Promise<void>)[] = [];
  private readonly abort = new AbortController();
  private readonly versions = new Map<string, { version: number; sequence: number }>();
  private readonly committing = new Map<string, Promise<void>>();
  private readonly beats = new Map<string, number>();

  private constructor(
    readonly server: NatsServerFixture,
    readonly nc: NatsConnection,
    readonly tasks: JetStreamEventStore<TaskEvent>,
    readonly assign: JetStreamEventStore<AssignEvent>,
  ) {}

  static async start(): Promise<TestPlatform> {
    const server = await startNatsServer();
    const nc = await connectNats({ url: server.url, name: 'test' });
    for (const stream of [streams.tasks, streams.assign, streams.sched, streams.reports])
      await ensureStream(nc, stream);
    const platform = new TestPlatform(
      server,
      nc,
      new JetStreamEventStore(nc, streams.tasks),
      new JetStreamEventStore(nc, streams.assign),
    );
    const { signal } = platform.abort;
    void followStream(nc, streams.assign.name, {
      fromSequence: 1,
      onMessage: (message) => platform.see(message),
      signal,
    });
    void new JetStreamEventStore<SchedEvent>(nc, streams.sched).follow({
      fromSequence: 1,
      onCommit: ({ commit }) => void platform.sched.push(...commit.events),
      signal,
    });
    return platform;
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.reverse()) await stop();
    this.abort.abort();
    await this.nc.close();
    await this.server.stop();
  }

  /** A scheduler that is stopped with the platform, if not before. */
  async boot(overrides: Partial<SchedulerOptions> = {}) {
    const module = SchedulerModule.register(readEnvironment({ NATS_URL: this.server.url }), { ...times, ...overrides });
    const service = await startTestService({ name: 'scheduler', module, natsUrl: this.server.url });
    let stopped = false;
    const stop = async () => {
      if (stopped) return;
      stopped = true;
      await service.stop();
    };
    this.stops.push(stop);
    return { ...service, stop };
  }

  async beat(workerId: string, over: Partial<Heartbeat> = {}): Promise<void> {
    const sequence = (this.beats.get(workerId) ?? 0) + 1;
    this.beats.set(workerId, sequence);
    const assignSequence = this.applied.get(workerId) ?? 0;
    await publishJson(
      this.nc,
      subjects.fleet(workerId),
      heartbeat(workerId, { sequence, assignSequence, sentAt: Date.now(), ...over }),
    );
  }

  async submit(over: Partial<TaskSpecInput> = {}, taskId: string = randomUUID()): Promise<string> {
    const data = { ownerId: 'u1', ownerName: 'User', spec: taskSpec(over), submittedAt: Date.now() };
    await this.commit(taskId, { type: 'TaskSubmitted', data });
    return taskId;
  }

  /** What the tasks service does with an assignment. */
  async record({
    taskId,
    attempt,
    workerId,
    workerName,
    leaseMs,
    gpuIds,
    assignedAt,
  }: AssignEventData<'TaskAssigned'>): Promise<void> {
    await this.commit(taskId, {
      type: 'TaskAssigned',
      data: { attempt, workerId, workerName, leaseMs, gpuIds, assignedAt },
    });
  }

  async succeed(taskId: string, attempt = 1): Promise<void> {
    await this.commit(taskId, { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: Date.now() } });
  }

  async requestCancel(taskId: string, graceMs = 100): Promise<void> {
    await this.commit(taskId, { type: 'TaskCancelRequested', data: { requestedBy: 'u1', graceMs, at: Date.now() } });
  }

  /** What the tasks service does with a withdrawal. */
  async endWithdrawn(taskId: string): Promise<void> {
    await this.commit(taskId, { type: 'TaskCancelled', data: { attempt: 0, finishedAt: Date.now() } });
  }

  async requeue(taskId: string, endedAttempt: number, notBefore = 0): Promise<void> {
    const failure = { class: 'infrastructure' as const, message: 'lost' };
    const data = { endedAttempt, nextAttempt: endedAttempt + 1, failure, notBefore, at: Date.now(), usedRetry: false };
    await this.commit(taskId, { type: 'TaskRequeued', data });
  }

  /** One after the other for each task: an assignment may be seen before the answer to its submission has been. */
  commit(taskId: string, ...events: TaskEvent[]): Promise<void> {
    const run = (this.committing.get(taskId) ?? Promise.resolve()).then(() => this.append(taskId, events));
    this.committing.set(
      taskId,
      run.catch(() => undefined),
    );
    return run;
  }

  private async append(taskId: string, events: readonly TaskEvent[]): Promise<void> {
    const { version, sequence } = this.versions.get(taskId) ?? { version: 0, sequence: 0 };
    const id = randomUUID();
    const commit: Commit<TaskEvent> = {
      id,
      stream: 'TASKS',
      aggregateId: taskId,
      version: version + 1,
      schemaVersion: 1,
      occurredAt: Date.now(),
      actor: { kind: 'service', id: 'tasks' },
      correlationId: id,
      causationId: id,
      events,
    };
    const { streamSequence } = await this.tasks.append(subjects.task(taskId), commit, sequence);
    this.versions.set(taskId, { version: version + 1, sequence: streamSequence });
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await wait(5);
    }
  }

  assignmentsOf(taskId: string): AssignEventData<'TaskAssigned'>[] {
    return this.assigned.filter((data) => data.taskId === taskId);
  }

  /** Like an agent it skips what it cannot read, and knows that it was there. */
  private see(message: StreamMessage): void {
    try {
      this.take(storedCommitOf<AssignEvent>(message, assignEventSchemas));
    } catch {
      this.applied.set(message.subject.slice(subjects.assign('').length), message.streamSequence);
    }
  }

  private take({ commit, streamSequence }: StoredCommit<AssignEvent>): void {
    this.applied.set(commit.aggregateId, streamSequence);
    for (const event of commit.events) {
      if (event.type === 'TaskAssigned') {
        this.assigned.push(event.data);
        this.onAssigned?.(event.data);
      } else if (event.type === 'AssignmentRevoked') {
        this.revoked.push({ ...event.data, workerId: commit.aggregateId });
      } else if (event.type === 'TaskWithdrawn') {
        this.withdrawn.push(event.data);
      } else {
        this.epochs.push(event.data);
      }
    }
  }
}
