import { readFile } from 'node:fs/promises';
import { pause } from '@gantry/jetstream/pause';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { Logger } from '@gantry/nest-platform/logger';
import { type GpuProcess, listGpuProcesses } from '../telemetry/gpu/gpu-processes.js';

const LOOK_MS = 500;
/** A tool that fails so often in a row cannot tell: then the empty container has to be proof enough. */
const MOST_FAILURES = 3;

export interface GpuReleasePorts {
  readonly logger: Pick<Logger, 'warn'>;
  readonly processes?: () => Promise<readonly GpuProcess[]>;
  /** Content of `/proc/<pid>/cgroup`; empty if the process is gone. */
  readonly cgroupOf?: (pid: number) => Promise<string>;
}

/**
 * Waits until no process of an attempt is left on its devices. A killed process that the driver holds on to keeps its device
 * after the engine called the container ended; until it is gone the device must not be given to the next task. Processes of
 * others on the device are not waited for: ours are known by the control group that the container (by its id) or the
 * sandbox (by task and attempt) put them in.
 */
export class GpuRelease {
  private readonly processes: () => Promise<readonly GpuProcess[]>;
  private readonly cgroupOf: (pid: number) => Promise<string>;

  constructor(private readonly ports: GpuReleasePorts) {
    this.processes = ports.processes ?? (() => listGpuProcesses());
    this.cgroupOf = ports.cgroupOf ?? ((pid) => readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''));
  }

  /** `onWait` is called once, with the process ids that hold the devices. */
  async wait(
    { gpuIds, taskId, attempt }: Pick<AssignEventData<'TaskAssigned'>, 'gpuIds' | 'taskId' | 'attempt'>,
    containerId: string,
    onWait: (pids: readonly number[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const marks = [containerId, `${taskId}-${attempt}`];
    let failures = 0;
    let told = false;
    while (gpuIds.length > 0 && !signal.aborted) {
      try {
        const pids = await this.holders(new Set(gpuIds), marks);
        failures = 0;
        if (pids.length === 0) return;
        if (!told) await onWait(pids);
        told = true;
      } catch (error) {
        failures += 1;
        this.ports.logger.warn({ err: error, taskId, attempt, failures }, 'processes on the GPUs could not be listed');
        if (failures === MOST_FAILURES) return;
      }
      await pause(LOOK_MS, signal);
    }
  }

  private async holders(gpuIds: ReadonlySet<string>, marks: readonly string[]): Promise<number[]> {
    const pids = new Set((await this.processes()).filter(({ gpuId }) => gpuIds.has(gpuId)).map(({ pid }) => pid));
    const groups = await Promise.all([...pids].map(async (pid) => ({ pid, cgroup: await this.cgroupOf(pid) })));
    return groups.filter(({ cgroup }) => marks.some((mark) => cgroup.includes(mark))).map(({ pid }) => pid);
  }
}
