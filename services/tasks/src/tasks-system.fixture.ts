import { createHash, randomUUID } from 'node:crypto';
import { commitArtifact, putArtifactChunk, UPLOAD_CHUNK_BYTES } from '@gantry/contracts/agents/artifact-upload';
import type { Report, ReportBody } from '@gantry/contracts/agents/report';
import type { UserActor } from '@gantry/contracts/messaging/actor';
import type { DomainEvent } from '@gantry/contracts/messaging/commit';
import type { OutputOf, RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { getTask, getTaskHistory, submitTask } from '@gantry/contracts/tasks/task-requests';
import type { TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import type { Artifact, TaskStatus } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { connectNats } from '@gantry/jetstream/connect';
import type { RunningService, StartServiceOptions } from '@gantry/jetstream/nest/start-service';
import { publishJson } from '@gantry/jetstream/publisher';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { startTestService } from '@gantry/testing/service-fixture';
import type { NatsConnection } from '@nats-io/transport-node';
import { TasksModule } from './tasks.module.js';
import { WithdrawingScheduler } from './withdrawing-scheduler.fixture.js';

export const ada: UserActor = { kind: 'user', id: 'ada', name: 'Ada', role: 'user' };
export const bob: UserActor = { kind: 'user', id: 'bob', name: 'Bob', role: 'user' };
export const root: UserActor = { kind: 'user', id: 'root', name: 'Root', role: 'admin' };

export function as(actor: RequestContext['actor']): RequestContext {
  return { actor, correlationId: randomUUID() };
}

/** The tasks service against a real broker; the test plays scheduler and agents. */
export class TasksSystem {
  private constructor(
    readonly nats: NatsServerFixture,
    public service: RunningService,
    readonly scheduler: WithdrawingScheduler,
    private readonly module: StartServiceOptions['module'],
  ) {}

  static async start(module: StartServiceOptions['module'] = TasksModule): Promise<TasksSystem> {
    const nats = await startNatsServer();
    const service = await startTestService({ name: 'tasks', module, natsUrl: nats.url });
    for (const stream of [streams.assign, streams.sched]) await ensureStream(service.nc, stream);
    return new TasksSystem(nats, service, await WithdrawingScheduler.start(nats.url), module);
  }

  get client() {
    return this.service.client;
  }

  /** `meanwhile` runs on a connection of its own while the service is away. */
  async restartService(meanwhile?: (nc: NatsConnection) => Promise<unknown>): Promise<void> {
    await this.service.stop();
    if (meanwhile !== undefined) {
      const nc = await connectNats({ url: this.nats.url, name: 'test' });
      await meanwhile(nc);
      await nc.close();
    }
    this.service = await startTestService({ name: 'tasks', module: this.module, natsUrl: this.nats.url });
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.scheduler.stop();
    await this.nats.stop();
  }

  submit(
    spec: Partial<TaskSpecInput> = {},
    options: { by?: UserActor; idempotencyKey?: string; client?: RunningService['client'] } = {},
  ): Promise<OutputOf<typeof submitTask>> {
    const { by = ada, idempotencyKey, client = this.client } = options;
    const input = {
      spec: { name: 'train', image: 'busybox:latest', ...spec },
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    return client.request(submitTask, input, as(by));
  }

  async get(taskId: string): Promise<TaskView> {
    return (await this.client.request(getTask, { taskId, visibleTo: null }, as(root))).task;
  }

  /** The types of all events of the task, oldest first. */
  async eventTypes(taskId: string): Promise<string[]> {
    const { entries } = await this.client.request(getTaskHistory, { taskId, visibleTo: null }, as(root));
    return entries.map(({ type }) => type);
  }

  until(taskId: string, status: TaskStatus): Promise<TaskView> {
    return eventually(async () => {
      const task = await this.get(taskId);
      if (task.status !== status) throw new Error(`task is ${task.status}, not ${status}`);
      return task;
    });
  }

  async decide(subject: string, stream: string, events: readonly DomainEvent[], nc = this.service.nc): Promise<void> {
    await publishJson(nc, subject, {
      id: randomUUID(),
      stream,
      aggregateId: subject,
      version: 1,
      schemaVersion: 1,
      occurredAt: Date.now(),
      actor: { kind: 'service', id: 'scheduler' },
      correlationId: 'test',
      causationId: 'test',
      events,
    });
  }

  assign(task: TaskView, attempt = 1, workerId = 'w1', nc = this.service.nc): Promise<void> {
    const { id: taskId, ownerId, spec } = task;
    this.scheduler.places(taskId);
    const data = {
      taskId,
      attempt,
      ownerId,
      spec,
      workerId,
      workerName: `worker ${workerId}`,
      gpuIds: [],
      leaseMs: 60_000,
      assignedAt: Date.now(),
    };
    return this.decide(subjects.assign(workerId), 'ASSIGN', [{ type: 'TaskAssigned', data }], nc);
  }

  loseWorker(workerId: string, tasks: readonly { taskId: string; attempt: number }[]): Promise<void> {
    const data = { workerId, at: Date.now(), lastHeartbeatAt: Date.now() - 60_000, tasks };
    return this.decide(subjects.sched('worker', workerId), 'SCHED', [{ type: 'WorkerLost', data }]);
  }

  async report(
    taskId: string,
    body: ReportBody,
    attempt = 1,
    workerId = 'w1',
    subject = subjects.report(workerId, taskId),
    earlier?: Report['earlier'],
  ): Promise<void> {
    const report: Report = { id: randomUUID(), workerId, taskId, attempt, at: Date.now(), report: body, earlier };
    await publishJson(this.service.nc, subject, report, { msgId: report.id });
  }

  exit(
    taskId: string,
    exitCode = 0,
    attempt = 1,
    workerId = 'w1',
    subject?: string,
    earlier?: Report['earlier'],
  ): Promise<void> {
    const now = Date.now();
    return this.report(
      taskId,
      {
        type: 'exited',
        outcome: 'exited',
        exitCode,
        message: '',
        startedAt: now - 5,
        finishedAt: now,
        containerId: 'c1',
      },
      attempt,
      workerId,
      subject,
      earlier,
    );
  }

  /** Submitted, assigned to `w1` and running. */
  async running(spec: Partial<TaskSpecInput> = {}): Promise<TaskView> {
    const { task } = await this.submit(spec);
    await this.assign(task);
    await this.report(task.id, { type: 'started', startedAt: Date.now(), containerId: 'c1' });
    return this.until(task.id, 'running');
  }

  /** Submitted, run on `w1`, succeeded. */
  async finished(): Promise<TaskView> {
    const task = await this.running();
    await this.exit(task.id);
    return this.until(task.id, 'succeeded');
  }

  async upload(
    taskId: string,
    path: string,
    content: Uint8Array,
    change: { attempt?: number; workerId?: string; sha256?: string } = {},
  ): Promise<Artifact> {
    const { attempt = 1, workerId = 'w1', sha256 = createHash('sha256').update(content).digest('hex') } = change;
    const artifactId = deterministicId(taskId, String(attempt), path);
    const context = as({ kind: 'worker', id: workerId });
    const chunks: { sequence: number; sizeBytes: number }[] = [];
    for (let offset = 0; offset < content.length; offset += UPLOAD_CHUNK_BYTES) {
      const bytes = content.subarray(offset, offset + UPLOAD_CHUNK_BYTES);
      const { sequence } = await this.client.sendBytes(
        putArtifactChunk(workerId),
        { taskId, attempt, artifactId, offset },
        bytes,
        context,
      );
      chunks.push({ sequence, sizeBytes: bytes.length });
    }
    const upload = {
      taskId,
      attempt,
      artifactId,
      path,
      sizeBytes: content.length,
      sha256,
      mediaType: 'application/octet-stream',
      chunks,
    };
    return this.client.request(commitArtifact(workerId), upload, context);
  }
}
