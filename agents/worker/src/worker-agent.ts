import { mkdirSync } from 'node:fs';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Heartbeat } from '@gantry/contracts/agents/heartbeat';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { heartbeatIntervalMs, requireSafeTiming, smallestLeaseMs } from '@gantry/contracts/messaging/lease-timing';
import { timing } from '@gantry/contracts/messaging/timing';
import { connectNats } from '@gantry/jetstream/connect';
import { pause } from '@gantry/jetstream/pause';
import { RequestClient } from '@gantry/jetstream/request-client';
import { systemClock } from '@gantry/kernel/clock';
import { uuidV7Ids } from '@gantry/kernel/ids';
import { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import type { NatsConnection } from '@nats-io/transport-node';
import type { WorkerEnvironment } from './environment.js';
import { isTooLateToStart } from './domain/lease.js';
import { keepLeases, leaseKeeperProgram } from './keeper/keep-leases.js';
import type { KeeperLink } from './keeper/keeper-link.js';
import { chooseRuntime } from './runtime/choose-runtime.js';
import { spoolerProgram } from './runtime/process/spool/spooler-link.js';
import { AgentStore } from './session/agent-store.js';
import { ArtifactUploader } from './session/artifact.uploader.js';
import { AssignmentInbox } from './session/assignment-inbox.js';
import { AttemptBoard } from './session/attempt-board.js';
import { systemBootClock } from './session/boot-clock.js';
import { DeviceClaims } from './session/device-claims.js';
import { GpuCustody } from './session/gpu-custody.js';
import { GpuHolders } from './session/gpu-holders.js';
import { HeartbeatLoop } from './session/heartbeat.loop.js';
import { LeaseRenewal } from './session/lease-renewal.js';
import { OfflineLeaseGuard } from './session/offline-lease.guard.js';
import { openLog } from './session/open-log.js';
import { ReportPublisher } from './session/report.publisher.js';
import { RequestArtifactService } from './session/request-artifact.service.js';
import { StartSlots } from './session/start-slots.js';
import { holdAlone, stableWorkerId } from './session/worker-identity.js';
import { WorkerSpecSource } from './session/worker-spec.source.js';
import { NvidiaSmiWatch } from './telemetry/gpu/nvidia-smi.watch.js';
import { HostSampler } from './telemetry/host/host.sampler.js';
import { TaskSampler } from './telemetry/host/task.sampler.js';
import { MetricsPublisher } from './telemetry/metrics.publisher.js';

const STOP_TASKS_MS = 6_000;

/** The agent, put together and running. */
export class WorkerAgent {
  private readonly timers: NodeJS.Timeout[] = [];

  private constructor(
    readonly workerId: string,
    readonly health: HealthState,
    private readonly nc: NatsConnection,
    private readonly board: AttemptBoard,
    private readonly heartbeats: HeartbeatLoop,
    private readonly gpus: NvidiaSmiWatch,
    private readonly life: { leaving: boolean; readonly over: AbortController },
    private readonly lock: Server,
    private readonly keeper: KeeperLink | undefined,
    private readonly closeRuntime: () => void,
    private readonly logger: Logger,
    private readonly stopTasks: boolean,
  ) {}

  get running(): Heartbeat['running'] {
    return this.board.running();
  }

  /** Resolves when leftovers are taken up, missed assignments applied and the first heartbeat sent. */
  static async start(
    environment: WorkerEnvironment,
    baseLogger: Logger,
    programs = { leaseKeeper: leaseKeeperProgram, spooler: spoolerProgram },
  ): Promise<WorkerAgent> {
    // Every lease comes with its assignment: what holds for the shortest and the longest holds for all.
    for (const leaseMs of [timing.shortestLeaseMs, timing.longestLeaseMs]) requireSafeTiming(leaseMs, 'leaseMs');
    const clock = systemClock;
    const dataFolder = resolve(environment.GANTRY_DATA, 'worker');
    const workerId = stableWorkerId(dataFolder, environment.GANTRY_WORKER_ID, hostname());
    const folder = join(dataFolder, workerId);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = await holdAlone(folder);
    const logger = baseLogger.child({ workerId });
    const places = { workerId, folder, spoolerProgram: programs.spooler };
    const { runtime: chosen, outputOwner, close } = await chooseRuntime(environment, places, logger);
    const onWriteError = (error: unknown): void => logger.error({ err: error }, 'the data folder cannot be written');
    const store = new AgentStore(folder, outputOwner, clock.now(), onWriteError);
    const session = uuidV7Ids.next();
    const startedAt = clock.now();
    const life = { leaving: false, over: new AbortController() };
    const health = new HealthState(`worker-${workerId}`);

    const renewal = new LeaseRenewal(store, clock, systemBootClock);
    const { runtime, link: keeper } = await keepLeases({
      workerId,
      dataFolder: folder,
      dockerHost: environment.DOCKER_HOST,
      program: programs.leaseKeeper,
      runtime: chosen,
      store,
      renewal,
      bootClock: systemBootClock,
      logger,
    });
    logger.info({ runtime: runtime.kind, leaseKeeper: keeper !== undefined }, 'runtime chosen');
    const guard = new OfflineLeaseGuard(store, runtime, renewal, logger);
    guard.start();
    const gpus = new NvidiaSmiWatch({ intervalMs: environment.GANTRY_METRICS_INTERVAL_MS, clock, logger });
    const [nc, gpuSpecs] = await Promise.all([
      connectNats({
        url: environment.NATS_URL,
        user: environment.NATS_USER,
        password: environment.NATS_PASSWORD,
        name: `worker-${workerId}`,
      }),
      gpus.start(),
    ]);
    await guard.stop();
    renewal.giveTime();
    logger.info({ gpus: gpuSpecs.length }, 'connected to the broker');

    const host = new HostSampler(dataFolder, clock);
    const tasks = new TaskSampler(clock);
    const linesPerSecond = environment.GANTRY_WORKER_LOG_LINES_PER_SECOND;
    const specs = new WorkerSpecSource(environment, runtime, host, () => gpus.specs(), logger);
    const custody = new GpuCustody({
      claims: new DeviceClaims(join(folder, 'gpu-claims.json'), onWriteError),
      holders: new GpuHolders({ logger }),
      devices: () => gpus.specs().map(({ id }) => id),
      // The scheduler keeps these devices back until it hears of it.
      onFreed: () => void heartbeats.sendNow(),
      logger,
      signal: life.over.signal,
    });
    const board = new AttemptBoard({
      parts: {
        runtime,
        store,
        clock,
        bootClock: systemBootClock,
        logger,
        reports: new ReportPublisher(nc, workerId, clock, logger),
        uploader: new ArtifactUploader(new RequestArtifactService(new RequestClient(nc), workerId), logger),
        slots: new StartSlots(environment.GANTRY_WORKER_START_CONCURRENCY),
        gpus: custody,
        openLog: (of, signal) => openLog({ nc, store, clock, workerId, linesPerSecond, logger, signal }, of),
        isLeaseOver: (leaseMs) => isTooLateToStart(renewal.at, renewal.now(), leaseMs),
        measuredUsage: (key) => tasks.usageOf(key),
      },
      refuse: (assignment) => refusal(assignment, new Set(gpus.specs().map(({ id }) => id))),
      onDone: (key, result) => {
        tasks.forget(key);
        if (result?.outcome === 'exited' && result.exitCode === 0) store.count('completed');
        else if (result !== undefined && result.outcome !== 'cancelled') store.count('failed');
        specs.expire();
      },
    });

    const inbox = new AssignmentInbox(
      nc,
      {
        workerId,
        startAfter: store.assignSequence(),
        appliedAt: store.assignedAt(),
        logger,
        takeLongestGap: () => renewal.takeLongestGap(),
        apply: (events, sequence, silence) => {
          board.apply(events, silence);
          store.saveAssignSequence(sequence);
          heartbeats.hasten();
        },
      },
      life.over.signal,
    );
    let beats = 0;
    const heartbeats = new HeartbeatLoop(nc, {
      workerId,
      logger,
      interval: () => heartbeatIntervalMs(board.shortestLeaseMs),
      now: () => renewal.now(),
      onRenewed: (sentAt) => {
        board.endLapsed({ at: renewal.at, now: renewal.now() });
        renewal.renew(sentAt);
        keeper?.renew(renewal.at);
        health.set('broker', 'healthy');
      },
      compose: async () => {
        inbox.check();
        beats += 1;
        const [spec, usage] = await Promise.all([specs.spec(), specs.usage()]);
        return {
          workerId,
          session,
          sequence: beats,
          sentAt: clock.now(),
          startedAt,
          spec,
          usage,
          running: board.running(),
          heldGpuIds: custody.leftOn(),
          assignSequence: inbox.appliedSequence,
          counters: store.counters(),
          leaving: life.leaving,
        };
      },
    });

    const agent = new WorkerAgent(
      workerId,
      health,
      nc,
      board,
      heartbeats,
      gpus,
      life,
      lock,
      keeper,
      close,
      logger,
      environment.GANTRY_WORKER_STOP_TASKS_ON_EXIT || runtime.kind !== 'docker',
    );
    const resumed = await board.resume();
    if (resumed > 0) logger.info({ attempts: resumed }, 'took up attempts of an earlier start');
    // Before anything that waits for the broker: what was taken up has a lease already.
    agent.every(timing.leaseCheckMs, async () => {
      if (renewal.ageMs > 3 * timing.heartbeatMs) health.set('broker', 'degraded', 'heartbeats are not acknowledged');
      board.checkLeases({ at: renewal.at, now: renewal.now(), isPatient: renewal.isPatient });
    });
    await inbox.start();
    await heartbeats.start();
    const metrics = new MetricsPublisher(nc, workerId, session, logger);
    agent.every(environment.GANTRY_METRICS_INTERVAL_MS, async () => {
      const [hostSample, taskSamples] = await Promise.all([host.sample(), tasks.sample(board.sampled())]);
      await metrics.publish({ gpus: gpus.take((id) => board.taskOfGpu(id)), host: [hostSample], tasks: taskSamples });
    });
    return agent;
  }

  /** Leaves: containers run on and are taken up at the next start, unless they were to be stopped with the agent. */
  async stop(): Promise<void> {
    this.life.leaving = this.stopTasks;
    if (this.stopTasks && this.board.size > 0) {
      await this.heartbeats.sendNow();
      this.board.endAll({ cause: 'agent_stopping', graceMs: 2_000 });
      const deadline = performance.now() + STOP_TASKS_MS;
      while (this.board.size > 0 && performance.now() < deadline) await pause(20);
    }
    for (const timer of this.timers) clearInterval(timer);
    await this.heartbeats.stop();
    this.life.over.abort();
    this.board.detach();
    this.gpus.stop();
    this.health.stop();
    await Promise.race([this.nc.drain().catch(() => undefined), pause(1_500)]);
    this.keeper?.close();
    this.closeRuntime();
    this.lock.close();
    this.logger.info('stopped');
  }

  private every(milliseconds: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'periodic work failed'))
        .finally(() => {
          busy = false;
        });
    }, milliseconds);
    this.timers.push(timer);
  }
}

function refusal(
  { spec, gpuIds, leaseMs }: AssignEventData<'TaskAssigned'>,
  present: ReadonlySet<string>,
): string | undefined {
  if (leaseMs < smallestLeaseMs())
    return `A lease of ${leaseMs} ms is too short for this worker: set the scheduler's GANTRY_LEASE_MS to ${smallestLeaseMs()} or more.`;
  const missing = gpuIds.find((id) => !present.has(id));
  if (missing !== undefined) return `This worker has no GPU ${missing}.`;
  if (gpuIds.length < spec.resources.gpu.count)
    return `The task needs ${spec.resources.gpu.count} GPUs but was given ${gpuIds.length}.`;
  return undefined;
}
