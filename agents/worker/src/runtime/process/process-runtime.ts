import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { ContainerExit } from '../../domain/attempt.state.js';
import { environmentOf } from '../../domain/container-options.js';
import type { LogCursor } from '../../domain/logs/raw-line.js';
import { type ContainerRuntime, type KnownContainer, type LogSink, RuntimeProblem } from '../container-runtime.port.js';
import { commandPids } from './command-pids.js';
import { ProcessCgroup } from './process-cgroup.js';
import { sandboxCommand } from './sandbox.js';
import { isAbandoned, removeSpool } from './spool/spool-files.js';
import { SpoolReader } from './spool/spool-reader.js';
import { type RunningSandbox, SpoolerLink, type SpoolerLinkOptions } from './spool/spooler-link.js';
import type { SandboxEnd } from './spool/spooler-messages.js';

const MEBIBYTE = 1024 * 1024;
const PROCESS_LIMIT = 256;
const CGROUP_PREFIX = 'gantry-';
const ID_PREFIX = 'process-';

export interface ProcessRuntimeOptions {
  /** Distinguishes this agent's control groups from another's on the same machine. */
  readonly agentId: string;
  readonly version: string;
  /** User of the sandboxed processes; undefined = the agent's own, because it is not root. */
  readonly task: { readonly uid: number; readonly gid: number } | undefined;
  readonly spooler: Pick<SpoolerLinkOptions, 'program' | 'limitBytes' | 'logger'>;
  /** Where the output of an attempt waits until it is stored; in a folder that exists when the attempt is made. */
  spoolFolder(taskId: string, attempt: number): string;
}

interface Sandbox {
  readonly assignment: AssignEventData<'TaskAssigned'>;
  readonly outputFolder: string;
  readonly spool: string;
  /** Says a line of the agent's own in the attempt's log, while that is read. */
  tell: LogSink['system'] | undefined;
  cgroup: ProcessCgroup | undefined;
  /** While it runs. */
  pid: number | undefined;
  /** Undefined: it was lost with the spooler. */
  exit: Promise<ContainerExit | undefined> | undefined;
}

/**
 * Runs commands of trusted users as sandboxed processes, for machines without a container engine. Sandboxes die with the agent; what
 * they wrote until then does not, and is read after a restart. Images and GPUs are not supported.
 */
export class ProcessRuntime implements ContainerRuntime {
  readonly kind = 'process';
  private readonly sandboxes = new Map<string, Sandbox>();
  private readonly spooler: SpoolerLink;
  private readonly oomScore = ownOomScore();

  constructor(private readonly options: ProcessRuntimeOptions) {
    this.spooler = new SpoolerLink({ ...options.spooler, onDisk: (folder, problem) => this.tellDisk(folder, problem) });
  }

  /** Lets go of the process that keeps the output; it ends when nothing is left to be kept. */
  close(): void {
    this.spooler.close();
  }

  version(): Promise<string> {
    return Promise.resolve(this.options.version);
  }

  images(): Promise<string[]> {
    return Promise.resolve([]);
  }

  prepareImage(): Promise<void> {
    return Promise.resolve();
  }

  create(assignment: AssignEventData<'TaskAssigned'>, outputFolder: string): Promise<string> {
    const { spec, taskId, attempt } = assignment;
    const problem =
      spec.command.length === 0
        ? 'This worker runs processes, not images: give the task a command.'
        : spec.network !== 'none'
          ? 'This worker runs processes without any network. Ask for network "none" or use a worker with Docker.'
          : undefined;
    if (problem !== undefined) return Promise.reject(new RuntimeProblem('failed_to_start', problem));
    const id = `${ID_PREFIX}${taskId}-${attempt}`;
    this.sandboxes.set(id, {
      assignment,
      outputFolder,
      spool: this.options.spoolFolder(taskId, attempt),
      tell: undefined,
      cgroup: undefined,
      pid: undefined,
      exit: undefined,
    });
    return Promise.resolve(id);
  }

  async start(containerId: string): Promise<{ startedAt: number }> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox === undefined) throw new RuntimeProblem('infrastructure_error', 'The sandbox is gone.');
    const { assignment, outputFolder } = sandbox;
    const { spec } = assignment;
    const { resources } = spec;
    const memoryBytes = resources.memoryMb * MEBIBYTE;
    sandbox.cgroup = await ProcessCgroup.create(this.controlGroup(containerId), {
      memoryBytes,
      cpus: resources.cpu,
      processes: PROCESS_LIMIT,
    });
    const command = sandboxCommand({
      command: spec.command,
      env: environmentOf(assignment),
      outputFolder,
      scratchBytes: Math.max(1, Math.min(resources.storageMb, resources.memoryMb)) * MEBIBYTE,
      task: this.options.task,
      cgroups: sandbox.cgroup?.folders ?? [],
      oomScore: this.oomScore,
      addressSpaceBytes: sandbox.cgroup === undefined ? memoryBytes : undefined,
    });
    const { pid, startedAt, end } = await this.launch(sandbox, command);
    sandbox.pid = pid;
    sandbox.exit = end.then((ended) => this.exitOf(sandbox, ended));
    return { startedAt };
  }

  async wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox?.exit === undefined) return undefined;
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    const exit = await Promise.race([sandbox.exit, aborted]);
    // Whatever it ended with, it was because it could not write any more.
    return isAbandoned(sandbox.spool) ? undefined : exit;
  }

  signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox?.pid === undefined) return Promise.resolve();
    this.spooler.signal(sandbox.spool, signal);
    // Not by the spooler alone, which waits for its disk.
    if (signal === 'SIGKILL') sandbox.cgroup?.end();
    return Promise.resolve();
  }

  async followLogs(
    containerId: string,
    cursor: LogCursor | undefined,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    const sandbox = this.sandboxes.get(containerId);
    const folder = sandbox?.spool ?? this.spoolOf(containerId);
    if (!existsSync(folder)) return;
    if (sandbox !== undefined) sandbox.tell = (text) => sink.system(text);
    const end = await new SpoolReader(folder, cursor?.spool ?? 0, sink, signal).follow();
    if (end === 'writer-lost')
      await sink.mark('The process that keeps what this task prints has died: the last of it is lost.');
  }

  async list(): Promise<KnownContainer[]> {
    await ProcessCgroup.sweep(`${CGROUP_PREFIX}${this.options.agentId}-`);
    return [];
  }

  async remove(containerId: string): Promise<void> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox === undefined) return;
    await this.signal(containerId, 'SIGKILL');
    await sandbox.exit;
    await sandbox.cgroup?.remove();
    removeSpool(sandbox.spool);
    this.sandboxes.delete(containerId);
  }

  endProcesses(): Promise<void> {
    return Promise.resolve();
  }

  async mainPid(containerId: string): Promise<number | undefined> {
    const sandbox = this.sandboxes.get(containerId);
    // Without groups of its own a process shows the agent's figures.
    if (sandbox?.pid === undefined || sandbox.cgroup?.accounts !== true) return undefined;
    return (await commandPids(sandbox.pid))[0];
  }

  controlGroup(containerId: string): string {
    return `${CGROUP_PREFIX}${this.options.agentId}-${containerId.slice(ID_PREFIX.length)}`;
  }

  private async launch({ spool }: Sandbox, command: readonly string[]): Promise<RunningSandbox> {
    try {
      // Fails if it is there: then an earlier life of the agent has started this attempt.
      mkdirSync(spool, { mode: 0o700 });
      return await this.spooler.start(spool, command);
    } catch (error) {
      const reason = (error as Error).message;
      throw new RuntimeProblem('infrastructure_error', `The sandbox could not be started: ${reason}`, { cause: error });
    }
  }

  private spoolOf(containerId: string): string {
    const name = containerId.slice(ID_PREFIX.length);
    const dash = name.lastIndexOf('-');
    return this.options.spoolFolder(name.slice(0, dash), Number(name.slice(dash + 1)));
  }

  private tellDisk(folder: string, problem: string | undefined): void {
    const sandbox = [...this.sandboxes.values()].find(({ spool }) => spool === folder);
    const text =
      problem === undefined
        ? 'What the task prints can be kept again. Nothing of it is missing.'
        : `The disk of the worker takes nothing more (${problem}): where the task prints it waits until there is room.`;
    sandbox?.tell?.(text).catch((error: unknown) => this.options.spooler.logger.error({ err: error }, 'not told'));
  }

  private exitOf(sandbox: Sandbox, end: SandboxEnd | undefined): ContainerExit | undefined {
    sandbox.pid = undefined;
    // A tool that is killed while it starts leaves its inner process waiting for it for ever, with the task's output open.
    try {
      sandbox.cgroup?.end();
    } catch (error) {
      // It has ended all the same; what cannot be killed now is met again by the removal.
      this.options.spooler.logger.error({ err: error }, 'what a sandbox left could not be ended');
    }
    if (end === undefined) return undefined;
    const exitCode = end.code ?? 128 + (end.signal === 'SIGTERM' ? 15 : 9);
    return { exitCode, oomKilled: sandbox.cgroup?.oomKilled() ?? false, finishedAt: end.at };
  }
}

/** What the agent's own processes are worth when memory runs out; a sandbox is worth the same. */
function ownOomScore(): string {
  try {
    return readFileSync('/proc/self/oom_score_adj', 'utf8').trim();
  } catch {
    return '0';
  }
}
