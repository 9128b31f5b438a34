import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { commitArtifact, putArtifactChunk } from '@gantry/contracts/agents/artifact-upload';
import { type Heartbeat, heartbeatSchema } from '@gantry/contracts/agents/heartbeat';
import { type LogLine, logChunkSchema } from '@gantry/contracts/agents/log-chunk';
import { type MetricBatch, metricBatchSchema } from '@gantry/contracts/agents/metric-batch';
import { type Report, reportSchema } from '@gantry/contracts/agents/report';
import { workerPermissions } from '@gantry/contracts/messaging/permissions';
import { requestHeaders } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { AssignEvent, AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { type TaskSpecInput, taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { connectNats } from '@gantry/jetstream/connect';
import { ensureStream, manager } from '@gantry/jetstream/stream-admin';
import { uuidV7Ids } from '@gantry/kernel/ids';
import { createLogger, type Logger } from '@gantry/nest-platform/logger';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { jetstream } from '@nats-io/jetstream';
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { readEnvironment, type WorkerEnvironment } from '../environment.js';
import { endKeeper } from './lease-keepers.js';

export interface StoredArtifact {
  taskId: string;
  path: string;
  sizeBytes: number;
  sha256: string;
  /** Of what really arrived, put together as the commit says. */
  receivedSha256: string;
}

type AssignmentExtra = Partial<
  Pick<AssignEventData<'TaskAssigned'>, 'taskId' | 'attempt' | 'leaseMs' | 'assignedAt' | 'gpuIds'>
>;

type ExitedReport = Extract<Report['report'], { type: 'exited' }>;

/** Broker, scheduler and tasks service around one agent: the broker is real, the two services are what a test needs of them. */
export class WorkerWorld {
  readonly reports: Report[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly metrics: MetricBatch[] = [];
  readonly artifacts: StoredArtifact[] = [];
  /** While true, nobody answers uploads. */
  uploadsHeld = false;
  private readonly chunks = new Map<number, Buffer>();
  private chunkSequence = 0;
  private version = 0;
  private publishing: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly nats: NatsServerFixture,
    readonly nc: NatsConnection,
    readonly workerId: string,
    readonly dataFolder: string,
  ) {}

  /** `limits`: lines of the broker's `jetstream` block; then no stream reserves room for itself. */
  static async create({ limits }: { limits?: string } = {}): Promise<WorkerWorld> {
    const workerId = `w-${uuidV7Ids.next().slice(-12)}`;
    // The agent gets exactly the permissions of its kind, so a test fails where production would.
    const permissions = workerPermissions(workerId);
    const nats = await startNatsServer({
      ...(limits === undefined ? {} : { limits }),
      config: `authorization { users: [
        { user: admin, password: admin },
        { user: worker, password: worker, permissions: {
          publish: ${JSON.stringify(permissions.publish)}, subscribe: ${JSON.stringify(permissions.subscribe)} } } ] }`,
    });
    const nc = await connectNats({ url: nats.url, user: 'admin', password: 'admin', name: 'test' });
    for (const name of ['assign', 'reports', 'fleet', 'metrics', 'logs'] as const)
      await ensureStream(nc, limits === undefined ? streams[name] : { ...streams[name], maxBytes: -1 });
    const world = new WorkerWorld(nats, nc, workerId, temporaryFolder('gantry-worker'));
    world.listen();
    await nc.flush();
    return world;
  }

  environment(extra: Record<string, string> = {}): Record<string, string> {
    return {
      NATS_URL: this.nats.url,
      NATS_USER: 'worker',
      NATS_PASSWORD: 'worker',
      GANTRY_DATA: this.dataFolder,
      GANTRY_WORKER_ID: this.workerId,
      // An agent that dies must say why.
      LOG_LEVEL: 'fatal',
      ...extra,
    };
  }

  settings(extra: Record<string, string> = {}): WorkerEnvironment {
    return readEnvironment(this.environment(extra));
  }

  logger(): Logger {
    return createLogger('worker', { level: 'silent', format: 'pretty' });
  }

  async assign(spec: Partial<TaskSpecInput>, extra: AssignmentExtra = {}, expected?: number): Promise<string> {
    const event = this.assigned(spec, extra);
    await this.publish([event], expected);
    return event.data.taskId;
  }

  revoke(taskId: string, extra: Partial<AssignEventData<'AssignmentRevoked'>> = {}): Promise<number> {
    return this.publish([this.revoked(taskId, extra)]);
  }

  assigned(spec: Partial<TaskSpecInput>, extra: AssignmentExtra = {}): Extract<AssignEvent, { type: 'TaskAssigned' }> {
    return {
      type: 'TaskAssigned',
      data: {
        taskId: uuidV7Ids.next(),
        attempt: 1,
        ownerId: 'owner',
        spec: taskSpecSchema.parse({
          name: 'test',
          image: 'gantry-test/busybox:latest',
          resources: { cpu: 1, memoryMb: 64 },
          ...spec,
        }),
        workerId: this.workerId,
        workerName: this.workerId,
        gpuIds: [],
        leaseMs: 60_000,
        assignedAt: Date.now(),
        ...extra,
      },
    };
  }

  revoked(taskId: string, extra: Partial<AssignEventData<'AssignmentRevoked'>> = {}): AssignEvent {
    return {
      type: 'AssignmentRevoked',
      data: { taskId, attempt: 1, graceMs: 1_000, reason: 'cancelled', revokedAt: Date.now(), ...extra },
    };
  }

  /** Appends one commit to the worker's subject as the scheduler does: fenced. Answers the sequence. */
  publish(events: readonly AssignEvent[], expected?: number): Promise<number> {
    const run = this.publishing.then(() => this.append(events, expected));
    this.publishing = run.catch(() => undefined);
    return run;
  }

  private async append(events: readonly AssignEvent[], expected: number | undefined): Promise<number> {
    const subject = subjects.assign(this.workerId);
    this.version += 1;
    const newest = await (await manager(this.nc)).streams.getMessage(streams.assign.name, { last_by_subj: subject });
    const commit = {
      id: uuidV7Ids.next(),
      stream: streams.assign.name,
      aggregateId: this.workerId,
      version: this.version,
      schemaVersion: 1,
      occurredAt: Date.now(),
      actor: { kind: 'service', id: 'scheduler' },
      correlationId: 'test',
      causationId: 'test',
      events,
    };
    const ack = await jetstream(this.nc).publish(subject, JSON.stringify(commit), {
      msgID: commit.id,
      expect: { lastSubjectSequence: expected ?? newest?.seq ?? 0 },
    });
    return ack.seq;
  }

  reportsOf(taskId: string): Report['report'][] {
    return this.reports.filter((report) => report.taskId === taskId).map(({ report }) => report);
  }

  async exitOf(taskId: string, timeoutMs = 60_000): Promise<ExitedReport> {
    return eventually(
      () => {
        const found = this.reportsOf(taskId).find((report) => report.type === 'exited');
        if (found?.type !== 'exited')
          throw new Error(`no exit of ${taskId}; reports: ${JSON.stringify(this.reportsOf(taskId))}`);
        return found;
      },
      { timeoutMs },
    );
  }

  async started(taskId: string): Promise<Extract<Report['report'], { type: 'started' }>> {
    return eventually(
      () => {
        const found = this.reportsOf(taskId).find((report) => report.type === 'started');
        if (found?.type !== 'started')
          throw new Error(`${taskId} has not started: ${JSON.stringify(this.reportsOf(taskId))}`);
        return found;
      },
      { timeoutMs: 60_000 },
    );
  }

  /** What stream LOGS holds of an attempt, in stored order, and how many chunks say that it is the end. */
  async storedLog(taskId: string, attempt = 1): Promise<{ lines: LogLine[]; ends: number }> {
    const jsm = await manager(this.nc);
    const subject = subjects.logs(this.workerId, taskId);
    const lines: LogLine[] = [];
    let ends = 0;
    for (let next = 1; ;) {
      const message = await jsm.streams.getMessage(streams.logs.name, { seq: next, next_by_subj: subject } as {
        seq: number;
      });
      if (message === null) return { lines, ends };
      const chunk = logChunkSchema.parse(message.json());
      next = message.seq + 1;
      if (chunk.attempt !== attempt) continue;
      lines.push(...chunk.lines);
      if (chunk.end) ends += 1;
    }
  }

  async stop(): Promise<void> {
    await this.nc.close();
    await this.nats.stop();
    endKeeper(this.workerId);
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  private listen(): void {
    const each = (subject: string, take: (message: Msg) => void): void => {
      void (async () => {
        for await (const message of this.nc.subscribe(subject)) take(message);
      })();
    };
    each('report.>', (message) => {
      const { earlier = [], ...last } = reportSchema.parse(message.json());
      this.reports.push(...earlier.map((before) => ({ ...last, ...before })), last);
    });
    each('fleet.*', (message) => this.heartbeats.push(heartbeatSchema.parse(message.json())));
    each('metrics.*', (message) => this.metrics.push(metricBatchSchema.parse(message.json())));
    const put = putArtifactChunk(this.workerId);
    each(put.subject, (message) => {
      if (this.uploadsHeld) return;
      put.input.parse(JSON.parse(message.headers?.get(requestHeaders.input) ?? ''));
      this.chunkSequence += 1;
      this.chunks.set(this.chunkSequence, Buffer.from(message.data));
      answer(message, put.output.parse({ sequence: this.chunkSequence }));
    });
    const commit = commitArtifact(this.workerId);
    each(commit.subject, (message) => {
      const input = commit.input.parse(message.json());
      const hash = createHash('sha256');
      for (const { sequence } of input.chunks) hash.update(this.chunks.get(sequence) ?? Buffer.from('missing'));
      const { taskId, attempt, path, sizeBytes, sha256, mediaType, artifactId } = input;
      this.artifacts.push({ taskId, path, sizeBytes, sha256, receivedSha256: hash.digest('hex') });
      answer(message, { id: artifactId, attempt, path, sizeBytes, sha256, mediaType, storedAt: Date.now() });
    });
  }
}

function answer(message: Msg, body: unknown): void {
  const sent = headers();
  sent.set(requestHeaders.status, 'ok');
  message.respond(JSON.stringify(body), { headers: sent });
}
