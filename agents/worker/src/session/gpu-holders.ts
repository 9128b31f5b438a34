import { readdir, readFile } from 'node:fs/promises';
import type { Logger } from '@gantry/nest-platform/logger';
import { type GpuProcess, listGpuProcesses } from '../telemetry/gpu/gpu-processes.js';
import type { DeviceClaim } from './device-claims.js';

export interface GpuHoldersPorts {
  readonly logger: Pick<Logger, 'warn'>;
  /** What is on the devices. Rejects if that cannot be told. */
  readonly processes?: () => Promise<readonly GpuProcess[]>;
  /** Content of `/proc/<pid>/cgroup`; empty if the process is gone. */
  readonly cgroupOf?: (pid: number) => Promise<string>;
  /** All processes of this machine. */
  readonly living?: () => Promise<readonly number[]>;
}

/**
 * Finds what is left of an attempt on its devices. A killed process that the driver holds on to keeps its device after the engine
 * called the container ended. Ours are known by the control group that the container (by its id) or the sandbox (by task and
 * attempt) put them in; processes of others do not matter. While the driver's tool does not answer, whatever lives in the control
 * group counts as being on the devices: the very process that is stuck may be why.
 */
export class GpuHolders {
  private readonly processes: () => Promise<readonly GpuProcess[]>;
  private readonly cgroupOf: (pid: number) => Promise<string>;
  private readonly living: () => Promise<readonly number[]>;
  private failing = false;

  constructor(private readonly ports: GpuHoldersPorts) {
    this.processes = ports.processes ?? (() => listGpuProcesses());
    this.cgroupOf = ports.cgroupOf ?? ((pid) => readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''));
    this.living = ports.living ?? livingProcesses;
  }

  /** By the key of the claim; claims of which nothing is left are missing. */
  async find(claims: readonly DeviceClaim[]): Promise<Map<string, GpuProcess[]>> {
    const devices = new Set(claims.flatMap(({ gpuIds }) => gpuIds));
    const listed = (await this.listed())?.filter(({ gpuId }) => devices.has(gpuId));
    const pids = [...new Set(listed?.map(({ pid }) => pid) ?? (await this.living()))];
    const groups = new Map(await Promise.all(pids.map(async (pid) => [pid, await this.cgroupOf(pid)] as const)));
    const found = new Map<string, GpuProcess[]>();
    for (const { key, taskId, attempt, containerId, gpuIds } of claims) {
      const marks = [`${taskId}-${attempt}`, ...(containerId === undefined ? [] : [containerId])];
      const isOurs = (pid: number): boolean => marks.some((mark) => isMarked(groups.get(pid) ?? '', mark));
      const holders =
        listed?.filter(({ gpuId, pid }) => gpuIds.includes(gpuId) && isOurs(pid)) ??
        pids.filter(isOurs).map((pid) => ({ gpuId: gpuIds[0] ?? '', pid }));
      if (holders.length > 0) found.set(key, holders);
    }
    return found;
  }

  private async listed(): Promise<readonly GpuProcess[] | undefined> {
    try {
      const processes = await this.processes();
      this.failing = false;
      return processes;
    } catch (error) {
      if (!this.failing) this.ports.logger.warn({ err: error }, 'processes on the GPUs could not be listed');
      this.failing = true;
      return undefined;
    }
  }
}

/** `<task>-1` is no mark of `<task>-12`. */
function isMarked(cgroup: string, mark: string): boolean {
  for (let at = cgroup.indexOf(mark); at >= 0; at = cgroup.indexOf(mark, at + 1))
    if (!/^\d/.test(cgroup.slice(at + mark.length))) return true;
  return false;
}

async function livingProcesses(): Promise<number[]> {
  return (await readdir('/proc')).map(Number).filter(Number.isInteger);
}
