import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { connectNats } from '@gantry/jetstream/connect';
import { jetStreamOf, publishJson } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import { eventually } from '@gantry/testing/eventually';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { ServiceProcess } from './service-process.js';
import { StoredHistory } from './stored-history.js';

/**
 * How long tasks and scheduler take from the start of their process until they serve, with many stored tasks. `finished`: all are
 * over; `mixed`: one in ten still waits; `queued`: all wait. First without snapshots, then in rounds with them. Run after a build:
 * node bench/dist/restart/restart.bench.js [--tasks N] [--cases finished,mixed,queued] [--rounds N] [--keep FOLDER]
 * [--forget: kept data gets new snapshots] [--profile: --cpu-prof of the services, into the current folder]
 */
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '1000000' },
    cases: { type: 'string', default: 'finished,mixed,queued' },
    rounds: { type: 'string', default: '3' },
    /** Data is written once and used again by later runs. */
    keep: { type: 'string' },
    forget: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const TASKS = Number(values.tasks);
const ROUNDS = Number(values.rounds);

/** The tasks service's consumer of ASSIGN. */
const RECORDER = 'tasks-assign';

/** Commits after which a service saves a snapshot by itself, with some room. */
const SAVED_WHILE_RUNNING = 120_000;

const queuedOf: Record<string, number> = { finished: 0, mixed: Math.round(TASKS / 10), queued: TASKS };

interface Round {
  readonly round: string;
  readonly tasksReadyMs: number;
  readonly tasksCpuMs: number;
  readonly tasksMemoryMb: number;
  readonly schedulerReadyMs: number;
  readonly schedulerCpuMs: number;
  readonly schedulerMemoryMb: number;
  /** From the spawn of the scheduler until a task was given to a worker, in ASSIGN. */
  readonly firstPlacementMs: number;
  readonly tasksStopMs: number;
  readonly schedulerStopMs: number;
  /** Both started at the same moment, as after a power failure. */
  readonly sideBySide: { readonly tasksReadyMs: number; readonly schedulerReadyMs: number };
}

async function main(): Promise<void> {
  const cases = [];
  for (const name of values.cases.split(',')) cases.push(await measureCase(name, queuedOf[name] ?? 0));
  console.log(JSON.stringify({ bench: 'restart', tasks: TASKS, cases }, null, 2));
}

async function measureCase(name: string, queued: number) {
  const folder = values.keep === undefined ? temporaryFolder('gantry-restart-') : `${values.keep}/${name}-${TASKS}`;
  const began = performance.now();
  const server = await startNatsServer({ storeDir: folder });
  const brokerStartMs = performance.now() - began;
  const nc = await connectNats({ url: server.url, name: 'bench' });
  try {
    const written = await write(server, nc, TASKS - queued, queued);
    const withoutSnapshots = await firstStart(server, nc);
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) rounds.push(await measure(server, nc, `${round}`, queued));
    const { state } = await (await manager(nc)).streams.info(streams.tasks.name);
    return {
      case: name,
      queued,
      commits: state.messages,
      bytes: state.bytes,
      written,
      brokerStartMs: Math.round(brokerStartMs),
      withoutSnapshots,
      snapshotBytes: await snapshotSizes(nc),
      rounds,
    };
  } finally {
    await nc.close();
    await server.stop();
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The services make their own streams and consumers; what is written then counts as long since consumed. */
async function write(server: NatsServerFixture, nc: NatsConnection, finished: number, queued: number) {
  const jsm = await manager(nc);
  const present = await jsm.streams.info(streams.tasks.name).catch(() => undefined);
  if (present !== undefined && present.state.messages >= finished + queued) return 'earlier';
  const services = await Promise.all(['tasks', 'scheduler'].map((name) => ServiceProcess.start(name, server.url)));
  await eventually(() => jsm.consumers.info(streams.assign.name, RECORDER));
  for (const service of services) await service.stop();
  const began = performance.now();
  const history = await StoredHistory.on(nc);
  await history.finished(finished);
  await history.queued(queued);
  const seconds = (performance.now() - began) / 1_000;
  await acknowledgeAll(nc, streams.assign.name, RECORDER);
  return `${seconds.toFixed(1)} s`;
}

/** Both read their streams from the start, side by side, unless an earlier run left snapshots; ends when both have saved one. */
async function firstStart(server: NatsServerFixture, nc: NatsConnection) {
  const commits = (await (await manager(nc)).streams.info(streams.tasks.name)).state.messages;
  if (values.forget) await forgetSnapshots(nc);
  if (await haveSnapshots(nc)) return 'snapshots of an earlier run';
  const profile = values.profile ? ['--cpu-prof'] : [];
  const [tasks, scheduler] = await Promise.all([
    ServiceProcess.start('tasks', server.url, profile),
    ServiceProcess.start('scheduler', server.url, profile),
  ]);
  const figures = {
    tasksReadyMs: Math.round(tasks.readyMs),
    tasksCpuMs: tasks.cpuMs(),
    schedulerReadyMs: Math.round(scheduler.readyMs),
    schedulerCpuMs: scheduler.cpuMs(),
    tasksMemoryMb: Math.round(tasks.memoryMb()),
    schedulerMemoryMb: Math.round(scheduler.memoryMb()),
  };
  // A small history gets its snapshot at the stop only.
  const deadline = performance.now() + 120_000;
  while (commits > SAVED_WHILE_RUNNING && performance.now() < deadline && !(await haveSnapshots(nc))) await wait(500);
  await Promise.all([tasks.stop(), scheduler.stop()]);
  return figures;
}

async function haveSnapshots(nc: NatsConnection): Promise<boolean> {
  const jsm = await manager(nc);
  for (const bucket of ['tasks', 'scheduler']) {
    const head = await jsm.streams
      .getMessage(`KV_${bucket}`, { last_by_subj: `$KV.${bucket}.snapshot.board.head` })
      .catch(() => null);
    if (head === null) return false;
  }
  return true;
}

async function forgetSnapshots(nc: NatsConnection): Promise<void> {
  const jsm = await manager(nc);
  for (const bucket of ['tasks', 'scheduler'])
    await jsm.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.snapshot.>` });
}

async function acknowledgeAll(nc: NatsConnection, stream: string, durable: string): Promise<void> {
  const jsm = await manager(nc);
  if ((await jsm.consumers.info(stream, durable)).num_pending === 0) return;
  const consumer = await jetStreamOf(nc).consumers.get(stream, durable);
  const messages = await consumer.consume({ max_messages: 1_000 });
  for await (const message of messages) {
    message.ack();
    if (message.info.pending === 0) break;
  }
  await nc.flush();
}

async function measure(server: NatsServerFixture, nc: NatsConnection, round: string, queued: number): Promise<Round> {
  const profile = values.profile ? ['--cpu-prof'] : [];
  const tasks = await ServiceProcess.start('tasks', server.url, profile);
  const tasksFigures = { cpu: tasks.cpuMs(), memory: tasks.memoryMb() };
  const worker = new BenchWorker(nc, `bench-${Date.now()}`);
  const scheduler = await ServiceProcess.start('scheduler', server.url, profile);
  const schedulerFigures = { cpu: scheduler.cpuMs(), memory: scheduler.memoryMb() };
  if (queued === 0) await (await StoredHistory.on(nc)).queued(1);
  await worker.firstAssignment;
  const firstPlacementMs = scheduler.age;
  await worker.stop();
  return {
    round,
    tasksReadyMs: Math.round(tasks.readyMs),
    tasksCpuMs: tasksFigures.cpu,
    tasksMemoryMb: Math.round(tasksFigures.memory),
    schedulerReadyMs: Math.round(scheduler.readyMs),
    schedulerCpuMs: schedulerFigures.cpu,
    schedulerMemoryMb: Math.round(schedulerFigures.memory),
    firstPlacementMs: Math.round(firstPlacementMs),
    schedulerStopMs: Math.round(await scheduler.stop()),
    tasksStopMs: Math.round(await tasks.stop()),
    sideBySide: await measureSideBySide(server),
  };
}

async function measureSideBySide(server: NatsServerFixture): Promise<Round['sideBySide']> {
  const [tasks, scheduler] = await Promise.all(
    ['tasks', 'scheduler'].map((name) => ServiceProcess.start(name, server.url)),
  );
  await Promise.all([tasks?.stop(), scheduler?.stop()]);
  return { tasksReadyMs: Math.round(tasks?.readyMs ?? 0), schedulerReadyMs: Math.round(scheduler?.readyMs ?? 0) };
}

/** Heartbeats of a machine with room for one task. */
class BenchWorker {
  readonly firstAssignment: Promise<void>;
  private sequence = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly nc: NatsConnection,
    private readonly workerId: string,
  ) {
    this.firstAssignment = new Promise((resolve) => {
      const subscription = nc.subscribe(subjects.assign(workerId), {
        callback: (_error, message) => {
          if (!message.string().includes('"TaskAssigned"')) return;
          subscription.unsubscribe();
          resolve();
        },
      });
    });
    this.timer = setInterval(() => void this.beat(), 1_000);
    void this.beat();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beat(true);
  }

  private async beat(leaving = false): Promise<void> {
    this.sequence += 1;
    const now = Date.now();
    await publishJson(this.nc, subjects.fleet(this.workerId), {
      workerId: this.workerId,
      session: 'bench',
      sequence: this.sequence,
      sentAt: now,
      startedAt: now,
      spec: {
        name: this.workerId,
        hostname: 'bench',
        address: '127.0.0.1',
        os: 'linux',
        agentVersion: '0',
        runtime: 'docker',
        runtimeVersion: '0',
        capacity: { cpu: 4, memoryMb: 8_192, storageMb: 4_096 },
        gpus: [],
        labels: {},
        queues: [],
        images: [],
        maxTasks: 1,
      },
      usage: { cpuPercent: 0, memoryUsedMb: 0, storageUsedMb: 0, load1: 0 },
      running: [],
      assignSequence: 0,
      counters: { completed: 0, failed: 0 },
      leaving,
    });
  }
}

async function snapshotSizes(nc: NatsConnection): Promise<Record<string, number>> {
  const jsm = await manager(nc);
  const sizes: Record<string, number> = {};
  for (const bucket of ['tasks', 'scheduler']) {
    const info = await jsm.streams.info(`KV_${bucket}`).catch(() => undefined);
    sizes[bucket] = info?.state.bytes ?? 0;
  }
  return sizes;
}

await main();
