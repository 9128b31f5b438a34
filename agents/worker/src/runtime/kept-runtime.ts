import { readFile } from 'node:fs/promises';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { timing } from '@gantry/contracts/messaging/timing';
import type { Logger } from '@gantry/nest-platform/logger';
import type { ContainerExit } from '../domain/attempt.state.js';
import type { LogCursor } from '../domain/logs/raw-line.js';
import type { ControlGroups } from '../keeper/control-groups.js';
import type { KeeperLink } from '../keeper/keeper-link.js';
import type { KeptAttempt } from '../keeper/keeper-orders.js';
import type { ContainerRuntime, KnownContainer, LogSink, PullProgress } from './container-runtime.port.js';

export interface Keeping {
  readonly link: Pick<KeeperLink, 'keep' | 'confirm' | 'forget' | 'hasEnded'>;
  /** File that says that the keeper has ended the attempt. */
  markOf(taskId: string, attempt: number): string;
  readonly groups: Pick<ControlGroups, 'empty'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** What the keeper has to know of one container. */
export function keptAttempt(
  containerId: string,
  group: string,
  leaseMs: number,
  mark: string,
  started: boolean,
): KeptAttempt {
  return { containerId, group, killAfterMs: leaseMs - timing.keeperKillBeforeLeaseEndMs, started, mark };
}

const KILLED = 137;

/** A runtime whose containers end with their lease even if the agent does not: all of them are made known to the lease keeper. */
export class KeptRuntime implements ContainerRuntime {
  private readonly starting = new Map<string, KeptAttempt>();
  private sightChecked = false;

  constructor(
    private readonly inner: ContainerRuntime,
    private readonly keeping: Keeping,
  ) {}

  get kind(): ContainerRuntime['kind'] {
    return this.inner.kind;
  }

  async create(assignment: AssignEventData<'TaskAssigned'>, outputFolder: string): Promise<string> {
    const { taskId, attempt, leaseMs } = assignment;
    const containerId = await this.inner.create(assignment, outputFolder);
    const group = this.inner.controlGroup(containerId);
    if (group !== undefined) {
      const mark = this.keeping.markOf(taskId, attempt);
      this.starting.set(containerId, keptAttempt(containerId, group, leaseMs, mark, false));
    }
    return containerId;
  }

  async start(containerId: string): Promise<{ startedAt: number }> {
    const { link } = this.keeping;
    const kept = this.starting.get(containerId);
    this.starting.delete(containerId);
    // First the keeper: an agent that is killed during the call, and an engine that obeys it later, change nothing.
    if (kept !== undefined) link.keep(kept);
    const started = await this.inner.start(containerId);
    link.confirm(containerId);
    if (!this.sightChecked && kept !== undefined) void this.checkSight(containerId, kept.group);
    return started;
  }

  async wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    const exit = await this.inner.wait(containerId, signal);
    if (exit?.exitCode !== KILLED || !this.keeping.link.hasEnded(containerId)) return exit;
    return { ...exit, leaseEnded: true };
  }

  async remove(containerId: string): Promise<void> {
    await this.inner.remove(containerId);
    this.starting.delete(containerId);
    this.keeping.link.forget(containerId);
  }

  version(): Promise<string> {
    return this.inner.version();
  }

  images(): Promise<string[]> {
    return this.inner.images();
  }

  prepareImage(image: string, onPull: (progress: PullProgress) => void, signal: AbortSignal): Promise<void> {
    return this.inner.prepareImage(image, onPull, signal);
  }

  signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.inner.signal(containerId, signal);
  }

  followLogs(containerId: string, cursor: LogCursor | undefined, sink: LogSink, signal: AbortSignal): Promise<void> {
    return this.inner.followLogs(containerId, cursor, sink, signal);
  }

  list(): Promise<KnownContainer[]> {
    return this.inner.list();
  }

  async endProcesses(containerId: string): Promise<void> {
    const group = this.inner.controlGroup(containerId);
    if (group !== undefined) await this.keeping.groups.empty(group);
  }

  mainPid(containerId: string): Promise<number | undefined> {
    return this.inner.mainPid(containerId);
  }

  controlGroup(containerId: string): string | undefined {
    return this.inner.controlGroup(containerId);
  }

  /** Once: an agent in a container of its own, or an engine in a virtual machine, shows other processes than it starts. */
  private async checkSight(containerId: string, group: string): Promise<void> {
    const pid = await this.inner.mainPid(containerId);
    if (pid === undefined || this.sightChecked) return;
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    // It may have ended meanwhile; then the next one tells.
    if ((await this.inner.mainPid(containerId)) !== pid) return;
    this.sightChecked = true;
    if (groups.includes(group)) return;
    this.keeping.logger.warn(
      "the lease keeper cannot see the processes of containers: while the agent is dead or frozen they may outlive their lease. Run the agent on the engine's machine and in its process namespace (--pid host).",
    );
  }
}
