import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import {
  getSigningKeys,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  verifyApiKey,
  type Scope,
  type UserView,
} from '@gantry/contracts/auth/auth-requests';
import type { Role } from '@gantry/contracts/messaging/actor';
import { getHealth, type HealthReport } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import type { Commit } from '@gantry/contracts/messaging/commit';
import type { LogChunk } from '@gantry/contracts/agents/log-chunk';
import { explainTask, listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import {
  cancelTask,
  countTasks,
  deleteTask,
  retryTask,
  getArtifact,
  getTask,
  getTaskHistory,
  listRecentTasks,
  readArtifact,
  submitTask,
} from '@gantry/contracts/tasks/task-requests';
import { TASK_SCHEMA_VERSION, type TaskEvent } from '@gantry/contracts/tasks/task-events';
import { taskSpecSchema, type TaskSpecInput } from '@gantry/contracts/tasks/task-spec';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { foldTaskCommit } from '@gantry/contracts/tasks/task-view.fold';
import {
  getArchivedTask,
  getSeries,
  getSummary,
  readLogs,
  searchTasks,
} from '@gantry/contracts/telemetry/telemetry-requests';
import { connectNats } from '@gantry/jetstream/connect';
import { publishJson } from '@gantry/jetstream/publisher';
import { RequestClient } from '@gantry/jetstream/request-client';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { systemClock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import { HealthState } from '@gantry/nest-platform/health';
import { createLogger } from '@gantry/nest-platform/logger';
import { createRegistry } from '@gantry/nest-platform/metrics';
import { startNatsServer, type NatsServerFixture } from '@gantry/testing/nats-server.fixture';
import { JetStreamReader } from '../adapters/jetstream-reader.js';
import { environmentSchema } from '../environment.js';
import { createParts, type GatewayParts } from '../gateway.parts.js';
import { startGatewayServer, type GatewayServer } from '../gateway.server.js';
import { FakeServices } from './fake-services.js';

const KEY_ID = 'test-key';
export const USER_ID = '00000000-0000-7000-8000-0000000000a1';
export const OTHER_ID = '00000000-0000-7000-8000-0000000000b2';
export const ADMIN_ID = '00000000-0000-7000-8000-0000000000c3';

export interface TokenOptions {
  userId?: string;
  role?: Role;
  mustChangePassword?: boolean;
  expiresInSeconds?: number;
}

export const notFound = () => new GantryError('TASK.NOT_FOUND', 'not_found', 'There is no such task.');

export const wellReport = (service: string): HealthReport => ({
  service,
  status: 'healthy',
  reasons: [],
  uptimeSeconds: 1,
  rssBytes: 1,
  cpuSeconds: 1,
  eventLoopLagMs: 0,
  version: '0.1.0',
});

/** A gateway in this process on a real broker, with hand-written services behind it. */
export class World {
  static async start(environment: Record<string, string> = {}): Promise<World> {
    const nats = await startNatsServer();
    const nc = await connectNats({ url: nats.url, name: 'test' });
    await Promise.all(
      [streams.tasks, streams.logs, streams.metrics, streams.fleet].map((stream) => ensureStream(nc, stream)),
    );
    const keys = await generateKeyPair('EdDSA', { extractable: true });
    const services = new FakeServices(nc);
    const parsed = environmentSchema.parse({
      NATS_URL: nats.url,
      GANTRY_API_PORT: '0',
      GANTRY_AUTH_RATE_PER_MINUTE: '100000',
      ...environment,
    });
    const gatewayConnection = await connectNats({ url: nats.url, name: 'gateway' });
    const logger = createLogger('gateway', { level: 'silent', format: 'pretty' });
    const registry = createRegistry('gateway');
    const parts = createParts(parsed, {
      requests: new RequestClient(gatewayConnection),
      reader: new JetStreamReader(gatewayConnection, logger, registry),
      clock: systemClock,
      logger,
      health: new HealthState('gateway'),
      registry,
    });
    const world = new World(
      nats,
      nc,
      gatewayConnection,
      services,
      keys.privateKey,
      parts,
      await exportJWK(keys.publicKey),
    );
    world.playServices();
    world.server = await startGatewayServer(parsed, parts);
    return world;
  }

  server!: GatewayServer;
  readonly tasks = new Map<string, { view: TaskView; commits: Commit[] }>();
  readonly apiKeys = new Map<string, { user: UserView; scopes: Scope[] }>();
  artifactBytes: Uint8Array = new Uint8Array();

  private serverStopped: Promise<void> | undefined;

  private constructor(
    readonly nats: NatsServerFixture,
    readonly nc: NatsConnection,
    private readonly gatewayConnection: NatsConnection,
    readonly services: FakeServices,
    private readonly key: CryptoKey,
    readonly parts: GatewayParts,
    private readonly publicKey: JWK,
  ) {}

  get url(): string {
    return this.server.url;
  }

  /** Once, however often it is asked. */
  stopServer(): Promise<void> {
    this.serverStopped ??= this.server.stop();
    return this.serverStopped;
  }

  async stop(): Promise<void> {
    await this.stopServer();
    await this.gatewayConnection.close();
    await this.nc.close();
    await this.nats.stop();
  }

  token({
    userId = USER_ID,
    role = 'user',
    mustChangePassword = false,
    expiresInSeconds = 900,
  }: TokenOptions = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ name: 'Ada', email: 'ada@example.org', role, sid: 'session-1', mcp: mustChangePassword })
      .setProtectedHeader({ alg: 'EdDSA', kid: KEY_ID })
      .setSubject(userId)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + expiresInSeconds)
      .sign(this.key);
  }

  user(id = USER_ID, role: Role = 'user'): UserView {
    return {
      id,
      email: 'ada@example.org',
      name: 'Ada',
      role,
      mustChangePassword: false,
      createdAt: 1,
      lastLogInAt: null,
    };
  }

  addApiKey(scopes: Scope[], user: UserView = this.user()): string {
    const key = `gtk_${randomUUID()}_secret`;
    this.apiKeys.set(key, { user, scopes });
    return key;
  }

  /** Submits a task as its owner would: stored, and published in TASKS. */
  async addTask(spec: Partial<TaskSpecInput> = {}, ownerId = USER_ID, id: string = randomUUID()): Promise<TaskView> {
    const parsed = taskSpecSchema.parse({ name: 'a task', image: 'busybox', ...spec });
    return this.addEvents(id, {
      type: 'TaskSubmitted',
      data: { ownerId, ownerName: 'Ada', spec: parsed, submittedAt: Date.now() },
    });
  }

  async addEvents(id: string, ...events: TaskEvent[]): Promise<TaskView> {
    const known = this.tasks.get(id);
    const commit: Commit = {
      id: randomUUID(),
      stream: streams.tasks.name,
      aggregateId: id,
      version: (known?.view.version ?? 0) + 1,
      schemaVersion: TASK_SCHEMA_VERSION,
      occurredAt: Date.now(),
      actor: { kind: 'service', id: 'tasks' },
      correlationId: 'test',
      causationId: 'test',
      events,
    };
    const view = foldTaskCommit(known?.view, { commit });
    if (view === undefined) throw new Error('the first event must be TaskSubmitted');
    this.tasks.set(id, { view, commits: [...(known?.commits ?? []), commit] });
    await publishJson(this.nc, subjects.task(id), commit, { msgId: commit.id });
    return view;
  }

  start(id: string, attempt = 1): Promise<TaskView> {
    const at = Date.now();
    return this.addEvents(
      id,
      {
        type: 'TaskAssigned',
        data: { attempt, workerId: 'w1', workerName: 'w1', leaseMs: 60_000, gpuIds: [], assignedAt: at },
      },
      { type: 'TaskStarted', data: { attempt, startedAt: at, containerId: 'c' } },
    );
  }

  succeed(id: string, attempt = 1): Promise<TaskView> {
    return this.addEvents(id, { type: 'TaskSucceeded', data: { attempt, exitCode: 0, finishedAt: Date.now() } });
  }

  async addLog(
    taskId: string,
    seqs: readonly number[],
    options: { attempt?: number; end?: boolean } = {},
  ): Promise<void> {
    const chunk: LogChunk = {
      taskId,
      attempt: options.attempt ?? 1,
      workerId: 'w1',
      lines: seqs.map((seq) => ({ seq, n: seq, stream: 'stdout' as const, t: seq, text: `line ${seq}` })),
      end: options.end ?? false,
    };
    await publishJson(this.nc, subjects.logs('w1', taskId), chunk, { msgId: randomUUID() });
  }

  private visible(id: string, visibleTo: string | null): TaskView {
    const view = this.tasks.get(id)?.view;
    if (view === undefined || (visibleTo !== null && view.ownerId !== visibleTo)) throw notFound();
    return view;
  }

  private playServices(): void {
    const { services } = this;
    services.on(getSigningKeys, () => ({ keys: [{ ...this.publicKey, kid: KEY_ID, alg: 'EdDSA', use: 'sig' }] }));
    services.on(verifyApiKey, ({ key }) => {
      const known = this.apiKeys.get(key);
      if (known === undefined)
        throw new GantryError('AUTH.API_KEY_INVALID', 'unauthenticated', 'The API key is not valid.');
      return { ...known, keyId: 'k' };
    });
    services.on(submitTask, async ({ spec }, context) => {
      const owner = context.actor.kind === 'user' ? context.actor.id : 'nobody';
      return { task: await this.addTask(spec, owner), queuePosition: 1, duplicate: false };
    });
    services.on(getTask, ({ taskId, visibleTo }) => ({ task: this.visible(taskId, visibleTo), queuePosition: null }));
    services.on(getTaskHistory, ({ taskId, visibleTo }) => {
      this.visible(taskId, visibleTo);
      const commits = this.tasks.get(taskId)?.commits ?? [];
      return {
        entries: commits.flatMap((commit, index) =>
          commit.events.map(({ type, data }) => ({
            streamSequence: index,
            version: commit.version,
            occurredAt: commit.occurredAt,
            actor: 'tasks',
            type,
            data,
          })),
        ),
      };
    });
    services.on(listRecentTasks, ({ visibleTo, limit }) => ({
      tasks: [...this.tasks.values()]
        .map(({ view }) => view)
        .filter((view) => visibleTo === null || view.ownerId === visibleTo)
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
    }));
    services.on(searchTasks, () => ({ tasks: [] }));
    services.on(getArchivedTask, () => {
      throw notFound();
    });
    services.on(countTasks, () => ({ byStatus: countsOf([...this.tasks.values()].map(({ view }) => view)) }));
    services.on(getSummary, () => ({
      total: 0,
      last24h: 0,
      byStatus: countsOf([]),
      perHour: [],
      averageDurationSeconds: null,
    }));
    services.on(listWorkers, () => ({ workers: [] }));
    services.on(cancelTask, ({ taskId, visibleTo }) => this.visible(taskId, visibleTo));
    services.on(retryTask, ({ taskId, visibleTo }) => this.visible(taskId, visibleTo));
    services.on(deleteTask, ({ taskId, visibleTo }) => {
      this.visible(taskId, visibleTo);
      return {};
    });
    services.on(explainTask, ({ taskId }) => ({
      taskId,
      state: 'waiting' as const,
      summary: 'It waits.',
      queuePosition: 1,
      workers: [],
      checkedAt: 1,
    }));
    services.on(getSeries, () => ({ bucketSeconds: 60, series: [] }));
    services.on(readLogs, ({ attempt }) => ({ attempt: attempt ?? null, lines: [], lastSeq: 0, complete: false }));
    services.on(getArtifact, ({ taskId, visibleTo, artifactId }) => {
      const artifact = this.visible(taskId, visibleTo).artifacts.find(({ id }) => id === artifactId);
      if (artifact === undefined) throw new GantryError('ARTIFACT.NOT_FOUND', 'not_found', 'There is no such file.');
      return artifact;
    });
    services.on(readArtifact, ({ taskId, visibleTo, offset, length }) => {
      this.visible(taskId, visibleTo);
      return this.artifactBytes.subarray(offset, offset + length);
    });
    for (const service of ['auth', 'tasks', 'scheduler', 'telemetry']) {
      services.on(getHealth(service), () => wellReport(service));
    }
  }
}

function countsOf(views: readonly TaskView[]) {
  const of = (status: TaskView['status']) => views.filter((view) => view.status === status).length;
  return {
    queued: of('queued'),
    assigned: of('assigned'),
    starting: of('starting'),
    running: of('running'),
    succeeded: of('succeeded'),
    failed: of('failed'),
    cancelled: of('cancelled'),
    timed_out: of('timed_out'),
  };
}
