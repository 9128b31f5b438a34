import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { ContainerExit } from '../../domain/attempt.state.js';
import { environmentOf } from '../../domain/container-options.js';
import { LineSplitter } from '../../domain/logs/line-splitter.js';
import type { FrameStream } from '../../domain/logs/log-frame.parser.js';
import type { LogCursor, RawLine } from '../../domain/logs/raw-line.js';
import { type ContainerRuntime, type KnownContainer, type LogSink, RuntimeProblem } from '../container-runtime.port.js';
import { ProcessCgroup } from './process-cgroup.js';
import { sandboxCommand } from './sandbox.js';

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
}

interface Sandbox {
  readonly assignment: AssignEventData<'TaskAssigned'>;
  readonly outputFolder: string;
  cgroup: ProcessCgroup | undefined;
  child: ChildProcess | undefined;
  exit: Promise<ContainerExit> | undefined;
}

/**
 * Runs commands of trusted users as sandboxed processes, for machines without a container engine. Sandboxes die with the agent, so
 * after a restart there is nothing to take up. Images and GPUs are not supported.
 */
export class ProcessRuntime implements ContainerRuntime {
  readonly kind = 'process';
  private readonly sandboxes = new Map<string, Sandbox>();

  constructor(private readonly options: ProcessRuntimeOptions) {}

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
    this.sandboxes.set(id, { assignment, outputFolder, cgroup: undefined, child: undefined, exit: undefined });
    return Promise.resolve(id);
  }

  async start(containerId: string): Promise<{ startedAt: number }> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox === undefined) throw new RuntimeProblem('infrastructure_error', 'The sandbox is gone.');
    const { assignment, outputFolder } = sandbox;
    const { resources, command } = assignment.spec;
    const memoryBytes = resources.memoryMb * MEBIBYTE;
    sandbox.cgroup = await ProcessCgroup.create(this.controlGroup(containerId), {
      memoryBytes,
      cpus: resources.cpu,
      processes: PROCESS_LIMIT,
    });
    const [file = '', ...args] = sandboxCommand({
      command,
      env: environmentOf(assignment),
      outputFolder,
      scratchBytes: Math.max(1, Math.min(resources.storageMb, resources.memoryMb)) * MEBIBYTE,
      task: this.options.task,
      cgroups: sandbox.cgroup?.folders ?? [],
      addressSpaceBytes: sandbox.cgroup === undefined ? memoryBytes : undefined,
    });
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    });
    sandbox.child = child;
    sandbox.exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => void this.exitOf(sandbox, code, signal).then(resolve));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new RuntimeProblem('infrastructure_error', `The sandbox could not be started: ${error.message}`)),
      );
    });
    return { startedAt: Date.now() };
  }

  async wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    const exit = this.sandboxes.get(containerId)?.exit;
    if (exit === undefined) return undefined;
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    return Promise.race([exit, aborted]);
  }

  async signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.sandboxes.get(containerId)?.child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (signal === 'SIGKILL') {
      // The sandbox's process namespace dies with its parent.
      child.kill('SIGKILL');
      return;
    }
    for (const pid of await commandPids(child.pid)) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  async followLogs(
    containerId: string,
    _cursor: LogCursor | undefined,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    const child = this.sandboxes.get(containerId)?.child;
    if (child?.stdout == null || child.stderr == null) return;
    await Promise.all([follow(child.stdout, 'stdout', sink, signal), follow(child.stderr, 'stderr', sink, signal)]);
  }

  async list(): Promise<KnownContainer[]> {
    await ProcessCgroup.sweep(`${CGROUP_PREFIX}${this.options.agentId}-`);
    return [];
  }

  async remove(containerId: string): Promise<void> {
    const sandbox = this.sandboxes.get(containerId);
    if (sandbox === undefined) return;
    sandbox.child?.kill('SIGKILL');
    await sandbox.exit;
    await sandbox.cgroup?.remove();
    this.sandboxes.delete(containerId);
  }

  async mainPid(containerId: string): Promise<number | undefined> {
    const sandbox = this.sandboxes.get(containerId);
    // Without groups of its own a process shows the agent's figures.
    if (sandbox?.child?.pid === undefined || sandbox.cgroup?.accounts !== true) return undefined;
    return (await commandPids(sandbox.child.pid))[0];
  }

  controlGroup(containerId: string): string {
    return `${CGROUP_PREFIX}${this.options.agentId}-${containerId.slice(ID_PREFIX.length)}`;
  }

  private async exitOf(sandbox: Sandbox, code: number | null, signal: NodeJS.Signals | null): Promise<ContainerExit> {
    // A tool that is killed while it starts leaves its inner process waiting for it for ever, with the task's output open.
    sandbox.cgroup?.end();
    const exitCode = code ?? 128 + (signal === 'SIGTERM' ? 15 : 9);
    const oomKilled = sandbox.cgroup?.oomKilled() ?? false;
    return { exitCode, oomKilled, finishedAt: Date.now() };
  }
}

async function follow(stream: Readable, name: FrameStream, sink: LogSink, signal: AbortSignal): Promise<void> {
  const splitter = new LineSplitter(name);
  const write = async (cut: (emit: (line: RawLine) => void) => void): Promise<void> => {
    const lines: RawLine[] = [];
    cut((line) => lines.push(line));
    if (lines.length > 0) await sink.write(lines, undefined);
  };
  try {
    for await (const bytes of stream) {
      if (signal.aborted) return;
      await write((emit) => splitter.push(bytes as Buffer, Date.now(), emit));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await write((emit) => splitter.finish(Date.now(), emit));
}

/** The command's processes: the sandbox tool is `pid`, its child is the namespace's first process, whose children they are. */
async function commandPids(pid: number): Promise<number[]> {
  const [init] = await childrenOf(pid);
  return init === undefined ? [] : childrenOf(init);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
