import { accessSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backOff, pause } from '@gantry/jetstream/pause';
import { parseCgroupPaths } from '../../telemetry/host/cgroup.parser.js';

export interface ProcessLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

const CPU_PERIOD_US = 100_000;
/** About five seconds. */
const REMOVE_ROUNDS = 25;

/**
 * Control groups for one sandbox, below the agent's own, in whichever version the machine has. Their files are in memory: a call takes
 * ten microseconds, and several times as much where threads do it.
 */
export class ProcessCgroup {
  private constructor(
    /** Folders whose `cgroup.procs` the process must join. */
    readonly folders: readonly string[],
    private readonly memoryFolder: string,
    private readonly version: 1 | 2,
    /** True if what the kernel counts for these groups is the sandbox's alone. */
    readonly accounts: boolean,
  ) {}

  /** Undefined if the agent may not make control groups here. */
  static async create(
    name: string,
    limits: ProcessLimits,
    root = '/sys/fs/cgroup',
  ): Promise<ProcessCgroup | undefined> {
    const paths = parseCgroupPaths(await readFile('/proc/self/cgroup', 'utf8').catch(() => ''));
    const quota = Math.max(1_000, Math.round(limits.cpus * CPU_PERIOD_US));
    const v1 = (controller: string, files: Record<string, string>): string | undefined => {
      const place = paths.get(controller);
      if (place === undefined) return undefined;
      for (const mount of new Set([place.hierarchy, controller])) {
        const folder = made(join(root, mount, place.path), name, files);
        if (folder !== undefined) return folder;
      }
      return undefined;
    };
    const memory = v1('memory', { 'memory.limit_in_bytes': String(limits.memoryBytes) });
    if (memory !== undefined) {
      // Where swap is not counted this file does not exist, and there is no swap to limit.
      writeIfThere(join(memory, 'memory.memsw.limit_in_bytes'), String(limits.memoryBytes));
      const others = [
        v1('cpu', { 'cpu.cfs_period_us': String(CPU_PERIOD_US), 'cpu.cfs_quota_us': String(quota) }),
        v1('cpuacct', {}),
        v1('pids', { 'pids.max': String(limits.processes) }),
      ];
      const folders = [memory, ...others.filter((folder) => folder !== undefined)];
      return new ProcessCgroup(folders, memory, 1, others[1] !== undefined);
    }
    const unified = paths.get('');
    if (unified === undefined) return undefined;
    const folder = made(join(root, unified.path), name, {
      'memory.max': String(limits.memoryBytes),
      'cpu.max': `${quota} ${CPU_PERIOD_US}`,
      'pids.max': String(limits.processes),
    });
    if (folder === undefined) return undefined;
    writeIfThere(join(folder, 'memory.swap.max'), '0');
    return new ProcessCgroup([folder], folder, 2, true);
  }

  /** True if the kernel ended a process of the group for want of memory. */
  oomKilled(): boolean {
    const text = textOf(join(this.memoryFolder, this.version === 1 ? 'memory.oom_control' : 'memory.events'));
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0;
  }

  /** Kills what is left in the group. */
  end(): void {
    endGroup(this.memoryFolder);
  }

  /** Rejects if a process of the group does not end. */
  async remove(): Promise<void> {
    await Promise.all(this.folders.map(removeGroup));
  }

  /** Removes what an agent that was killed left behind. */
  static async sweep(prefix: string, root = '/sys/fs/cgroup'): Promise<void> {
    const paths = parseCgroupPaths(await readFile('/proc/self/cgroup', 'utf8').catch(() => ''));
    for (const [controller, { hierarchy, path }] of paths) {
      for (const mount of new Set([hierarchy, controller])) {
        const parent = join(root, mount, path);
        for (const name of await readdir(parent).catch(() => [])) {
          if (!name.startsWith(prefix)) continue;
          endGroup(join(parent, name));
          await removeGroup(join(parent, name)).catch(() => undefined);
        }
      }
    }
  }
}

function endGroup(folder: string): void {
  for (const pid of textOf(join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** A group can be removed only when its last process is gone, which is a moment after the sandbox's own end was seen. */
async function removeGroup(folder: string): Promise<void> {
  for (let round = 0; ; round += 1) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || round === REMOVE_ROUNDS) throw error;
      await pause(backOff(round, 5, 250));
    }
  }
}

function made(parent: string, name: string, files: Record<string, string>): string | undefined {
  const folder = join(parent, name);
  try {
    accessSync(join(parent, 'cgroup.procs'));
    mkdirSync(folder, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
    return folder;
  } catch {
    ignoringErrors(() => rmdirSync(folder));
    return undefined;
  }
}

function writeIfThere(file: string, text: string): void {
  ignoringErrors(() => writeFileSync(file, text));
}

function textOf(file: string): string {
  let text = '';
  ignoringErrors(() => (text = readFileSync(file, 'utf8')));
  return text;
}

function ignoringErrors(act: () => void): void {
  try {
    act();
  } catch {
    return;
  }
}
