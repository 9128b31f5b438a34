import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { backOff, pause } from '@gantry/jetstream/pause';
import type Docker from 'dockerode';
import type { ContainerExit } from '../../domain/attempt.state.js';
import { containerLabels, containerName, containerOptions } from '../../domain/container-options.js';
import { withTag } from '../../domain/image-reference.js';
import type { LogCursor } from '../../domain/logs/raw-line.js';
import {
  type ContainerRuntime,
  type KnownContainer,
  type LogSink,
  type PullProgress,
  RuntimeProblem,
} from '../container-runtime.port.js';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import { sweepLater } from '../sweep-later.js';
import { ContainerEnds } from './container-ends.js';
import { DockerExits } from './docker-exits.js';
import { answerWithin, reasonOf, statusOf } from './docker-engine.js';
import { DockerImages, type ImageLimits, type RegistryCredentials } from './docker-images.js';
import { followDockerLogs } from './docker-logs.js';

export interface DockerRuntimeOptions {
  readonly agentId: string;
  /** `uid:gid` of the processes in containers. */
  readonly user: string;
  readonly logFileSize: string;
  /** See `ContainerSetting`. */
  readonly hostsFile: string;
  readonly credentials: RegistryCredentials;
  readonly limits: ImageLimits;
  /** The engine's clock, if the engine is on this machine: then times need not be asked for. */
  readonly clock: Clock | undefined;
  /** When the engine that answers now began, by its own clock; undefined if nobody knows. */
  readonly engineSince: () => Promise<number | undefined>;
  readonly logger: Pick<Logger, 'error'>;
}

/** Containers on a Docker engine. */
export class DockerRuntime implements ContainerRuntime {
  readonly kind = 'docker';
  private readonly imageStore: DockerImages;
  private readonly ends = new ContainerEnds();
  private readonly exits: DockerExits;
  private engineCpus: number | undefined;
  private network: Promise<string> | undefined;

  constructor(
    private readonly docker: Docker,
    private readonly options: DockerRuntimeOptions,
  ) {
    this.imageStore = new DockerImages(docker, options.credentials, options.limits);
    const { clock, engineSince } = options;
    this.exits = new DockerExits(docker, { ends: this.ends, clock, engineSince });
  }

  async version(): Promise<string> {
    return (await this.docker.version()).Version;
  }

  images(): Promise<string[]> {
    return this.imageStore.list();
  }

  prepareImage(image: string, onPull: (progress: PullProgress) => void, signal: AbortSignal): Promise<void> {
    return this.imageStore.ensure(image, onPull, signal);
  }

  async create(assignment: AssignEventData<'TaskAssigned'>, outputFolder: string): Promise<string> {
    const { agentId, user, logFileSize, hostsFile } = this.options;
    const name = containerName(assignment.taskId, assignment.attempt);
    try {
      this.engineCpus ??= Number(((await this.answered(this.docker.info())) as { NCPU: number }).NCPU);
      const bridgeNetwork = assignment.spec.network === 'bridge' ? await this.ensureNetwork() : '';
      const options = containerOptions(assignment, {
        agentId,
        user,
        logFileSize,
        outputFolder,
        hostsFile,
        bridgeNetwork,
        engineCpus: this.engineCpus,
      });
      const body = { ...options, Image: withTag(options.Image), name } as unknown as Docker.ContainerCreateOptions;
      try {
        return await this.make(body);
      } catch (error) {
        // 404: the image was removed since it was seen. 409: left over from an agent that died in the middle of this very attempt.
        if (statusOf(error) === 404) await this.bringBack(options.Image);
        else if (statusOf(error) === 409) await this.remove(name);
        else throw error;
        return await this.make(body);
      }
    } catch (error) {
      if (error instanceof RuntimeProblem) throw error;
      // Only the answer may be lost: what was made all the same runs nothing, so nobody has to wait until it is gone.
      if (statusOf(error) === undefined) void sweepLater(() => this.remove(name), this.options.logger);
      const outcome = statusOf(error) === 400 ? 'failed_to_start' : 'infrastructure_error';
      throw new RuntimeProblem(outcome, `The engine could not make the container: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  async start(containerId: string): Promise<{ startedAt: number }> {
    try {
      await this.exits.start(containerId);
      const { clock } = this.options;
      if (clock !== undefined) return { startedAt: clock.now() };
    } catch (error) {
      if (statusOf(error) === undefined) return this.startedUnanswered(containerId, error);
      // 304: it runs already, because the answer to an earlier call was lost.
      if (statusOf(error) !== 304) throw startProblem(error);
    }
    const { State } = await this.patiently(() => this.docker.getContainer(containerId).inspect());
    return { startedAt: Date.parse(State.StartedAt) };
  }

  wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    return this.exits.wait(containerId, signal);
  }

  async signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (signal === 'SIGKILL') this.exits.noteKill(containerId);
    try {
      await this.docker.getContainer(containerId).kill({ signal });
    } catch (error) {
      // 404: gone; 409: not running. Both are what was wanted.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
    }
  }

  followLogs(containerId: string, cursor: LogCursor | undefined, sink: LogSink, signal: AbortSignal): Promise<void> {
    return followDockerLogs({ docker: this.docker, ends: this.ends }, containerId, cursor, sink, signal);
  }

  async list(): Promise<KnownContainer[]> {
    const filters = { label: [`${containerLabels.agent}=${this.options.agentId}`] };
    const containers = await this.docker.listContainers({ all: true, filters });
    const known = await Promise.all(
      containers.map(async ({ Id, Labels }): Promise<KnownContainer | undefined> => {
        const taskId = Labels[containerLabels.task];
        const attempt = Number(Labels[containerLabels.attempt]);
        if (taskId === undefined || !Number.isInteger(attempt)) return undefined;
        const observed = await this.observe(Id);
        return observed === undefined ? undefined : { containerId: Id, taskId, attempt, observed };
      }),
    );
    return known.filter((container) => container !== undefined);
  }

  async remove(containerId: string): Promise<void> {
    try {
      await this.docker.getContainer(containerId).remove({ force: true, v: true });
    } catch (error) {
      // 404: gone; 409: a removal is under way.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
    }
    this.ends.forget(containerId);
    this.exits.forget(containerId);
  }

  endProcesses(): Promise<void> {
    return Promise.resolve();
  }

  async mainPid(containerId: string): Promise<number | undefined> {
    try {
      const { State } = await this.docker.getContainer(containerId).inspect();
      return State.Running && State.Pid > 0 ? State.Pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whatever the engine's driver puts around it. */
  controlGroup(containerId: string): string {
    return containerId;
  }

  private async make(body: Docker.ContainerCreateOptions): Promise<string> {
    const making = this.docker.createContainer(body);
    try {
      return (await this.answered(making)).id;
    } catch (error) {
      // An engine that was stuck makes it in the end, when what was to remove it has long found nothing.
      making.then(
        ({ id }) => sweepLater(() => this.remove(id), this.options.logger),
        () => undefined,
      );
      throw error;
    }
  }

  private answered<T>(call: Promise<T>): Promise<T> {
    return answerWithin(this.options.limits.answerMs, call);
  }

  private bringBack(image: string): Promise<void> {
    this.imageStore.forget(image);
    return this.imageStore.ensure(image, () => undefined, new AbortController().signal);
  }

  private async observe(containerId: string): Promise<KnownContainer['observed'] | undefined> {
    try {
      const { State } = await this.docker.getContainer(containerId).inspect();
      const startedAt = Date.parse(State.StartedAt);
      if (State.Running) return { is: 'running', containerId, startedAt };
      // The zero time of the engine's language: never started.
      if (!(startedAt > 0)) return { is: 'created', containerId };
      const engine = { since: await this.options.engineSince(), seenRunning: false };
      const exit = await this.exits.endOf(containerId, State, engine, new AbortController().signal);
      return { is: 'exited', containerId, startedAt, exit };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /**
   * The engine went away during the call. What it has started runs on without it, so nothing may be said before it is back: a
   * task that is called failed or cancelled is given to another worker, or its devices to another task.
   */
  private async startedUnanswered(containerId: string, lost: unknown): Promise<{ startedAt: number }> {
    const { State } = await this.patiently(() => this.docker.getContainer(containerId).inspect());
    const startedAt = Date.parse(State.StartedAt);
    if (startedAt > 0) return { startedAt };
    // A start that is still on its way finds nothing any more.
    await this.patiently(() => this.remove(containerId));
    throw startProblem(lost);
  }

  /** For as long as the engine is away. */
  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await ask();
      } catch (error) {
        if (statusOf(error) !== undefined) {
          throw new RuntimeProblem(
            'infrastructure_error',
            `The engine cannot say what became of the container: ${reasonOf(error)}`,
            {
              cause: error,
            },
          );
        }
        await pause(backOff(failures, 100, 2_000));
      }
    }
  }

  /** A bridge of this agent's own on which containers cannot reach one another. */
  private ensureNetwork(): Promise<string> {
    this.network ??= this.makeNetwork().catch((error: unknown) => {
      this.network = undefined;
      throw error;
    });
    return this.network;
  }

  private async makeNetwork(): Promise<string> {
    const name = `gantry-${this.options.agentId}`;
    const existing = await this.answered(this.docker.listNetworks({ filters: { name: [name] } }));
    if (existing.some((network) => network.Name === name)) return name;
    await this.answered(
      this.docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Options: { 'com.docker.network.bridge.enable_icc': 'false' },
        Labels: { [containerLabels.agent]: this.options.agentId },
      }),
    );
    return name;
  }
}

function startProblem(error: unknown): RuntimeProblem {
  const reason = reasonOf(error);
  // A wrong command is the user's to mend; a missing GPU driver or a broken engine is the machine's.
  const byUser = statusOf(error) === 400 || /exec: /.test(reason);
  return byUser
    ? new RuntimeProblem('failed_to_start', `The command could not be started: ${reason}`, { cause: error })
    : new RuntimeProblem('infrastructure_error', `The engine could not start the container: ${reason}`, {
        cause: error,
      });
}
