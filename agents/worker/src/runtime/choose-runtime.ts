import { existsSync } from 'node:fs';
import { pause } from '@gantry/jetstream/pause';
import { systemClock } from '@gantry/kernel/clock';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { Logger } from '@gantry/nest-platform/logger';
import type { WorkerEnvironment } from '../environment.js';
import { attemptKey, spoolFolder } from '../session/agent-store.js';
import type { ContainerRuntime } from './container-runtime.port.js';
import { connectEngine } from './docker/docker-engine.js';
import { engineSince } from './docker/docker-exit.js';
import { DockerRuntime } from './docker/docker-runtime.js';
import { writeHostsFile } from './docker/hosts-file.js';
import { registryCredentials } from './docker/registry-credentials.js';
import { ProcessRuntime } from './process/process-runtime.js';
import { sandboxVersion } from './process/sandbox.js';
import { SimulatedRuntime } from './simulated/simulated-runtime.js';

/** An engine that is starting together with the agent gets this long before `auto` looks for something else. */
const ENGINE_PATIENCE_MS = 15_000;
/** One under heavy load takes tens of seconds to look at an image or to make a container. */
const ENGINE_ANSWER_MS = 120_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

export interface ChosenRuntime {
  readonly runtime: ContainerRuntime;
  /** Who owns what tasks write; undefined = the agent's own user. */
  readonly outputOwner: { readonly uid: number; readonly gid: number } | undefined;
  readonly close: () => void;
}

export interface RuntimePlaces {
  readonly workerId: string;
  /** The agent's own. */
  readonly folder: string;
  /** Main file of the process that keeps the output of sandboxes. */
  readonly spoolerProgram: string;
}

const nothingToClose = (): void => undefined;

/** Picks the runtime: as configured, or Docker if an engine answers, else the process sandbox. Throws when there is neither. */
export async function chooseRuntime(
  environment: WorkerEnvironment,
  { workerId, folder, spoolerProgram }: RuntimePlaces,
  logger: Logger,
): Promise<ChosenRuntime> {
  const { GANTRY_WORKER_RUNTIME: wanted, DOCKER_HOST: host } = environment;
  const uid = process.getuid?.() ?? 0;
  // Not root, not the agent's user: a container that escapes owns nothing. An agent without root cannot give files away.
  const task = uid === 0 ? { uid: 65_532, gid: 65_532 } : { uid, gid: process.getgid?.() ?? uid };
  const outputOwner = uid === 0 ? task : undefined;
  const user = `${task.uid}:${task.gid}`;
  if (wanted === 'simulated') {
    logger.warn('this worker simulates: it runs nothing');
    return { runtime: new SimulatedRuntime(), outputOwner, close: nothingToClose };
  }
  if (wanted !== 'process') {
    const runtime = new DockerRuntime(connectEngine(host), {
      agentId: workerId,
      user,
      logFileSize: environment.GANTRY_WORKER_LOG_FILE_SIZE,
      hostsFile: writeHostsFile(folder),
      credentials: registryCredentials(environment.GANTRY_WORKER_REGISTRY_CONFIG),
      limits: { answerMs: ENGINE_ANSWER_MS, pullIdleMs: environment.GANTRY_WORKER_PULL_IDLE_MS },
      clock: host === undefined || host.startsWith('unix://') ? systemClock : undefined,
      engineSince: () => engineSince(host),
      logger,
    });
    const expected = wanted === 'docker' || host !== undefined || existsSync(DEFAULT_SOCKET);
    if (
      await answers(runtime, wanted === 'docker' ? Number.POSITIVE_INFINITY : expected ? ENGINE_PATIENCE_MS : 0, logger)
    ) {
      return { runtime, outputOwner, close: nothingToClose };
    }
  }
  const version = await sandboxVersion();
  if (version !== undefined) {
    const runtime = new ProcessRuntime({
      agentId: workerId,
      task: outputOwner,
      version,
      spooler: { program: spoolerProgram, limitBytes: environment.GANTRY_WORKER_SPOOL_SIZE, logger },
      spoolFolder: (taskId, attempt) => spoolFolder(folder, attemptKey(taskId, attempt)),
    });
    return { runtime, outputOwner, close: () => runtime.close() };
  }
  throw new GantryError(
    'WORKER.NO_RUNTIME',
    'unavailable',
    'Nothing here can run tasks. Start a Docker engine (or set DOCKER_HOST), or install bubblewrap (bwrap).',
  );
}

async function answers(runtime: DockerRuntime, patienceMs: number, logger: Logger): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (let round = 0; ; round += 1) {
    try {
      await runtime.version();
      return true;
    } catch (error) {
      if (performance.now() >= deadline) return false;
      if (round % 20 === 0) logger.warn({ err: error }, 'waiting for the container engine');
      await pause(500);
    }
  }
}
