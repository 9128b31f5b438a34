import type { TaskSample } from '@gantry/contracts/agents/metric-batch';
import type { Clock } from '@gantry/kernel/clock';
import { rate } from '../rate.js';
import { CgroupReader, type CgroupReading } from './cgroup.reader.js';

const MEBIBYTE = 1024 * 1024;

export interface SampledTask {
  readonly key: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly memoryLimitMb: number;
  mainPid(): Promise<number | undefined>;
}

interface Tracked {
  readonly reader: CgroupReader;
  before: { t: number; reading: CgroupReading };
}

/** Resource use of running tasks. Keeps the newest totals of each, because they are gone with the container. */
export class TaskSampler {
  private readonly tracked = new Map<string, Tracked>();
  private readonly totals = new Map<string, { cpuSeconds: number; peakMemoryMb: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly open: (pid: number) => Promise<CgroupReader | undefined> = (pid) => CgroupReader.open(pid),
  ) {}

  usageOf(key: string): { cpuSeconds: number; peakMemoryMb: number } | undefined {
    return this.totals.get(key);
  }

  forget(key: string): void {
    this.tracked.delete(key);
    this.totals.delete(key);
  }

  async sample(tasks: readonly SampledTask[]): Promise<TaskSample[]> {
    const samples = await Promise.all(tasks.map((task) => this.sampleOne(task)));
    return samples.filter((sample) => sample !== undefined);
  }

  private async sampleOne(task: SampledTask): Promise<TaskSample | undefined> {
    const known = this.tracked.get(task.key);
    const reader = known?.reader ?? (await this.find(task));
    const reading = await reader?.read();
    if (reader === undefined || reading === undefined) {
      this.tracked.delete(task.key);
      return undefined;
    }
    const t = this.clock.now();
    this.tracked.set(task.key, { reader, before: { t, reading } });
    this.totals.set(task.key, { cpuSeconds: reading.cpuSeconds, peakMemoryMb: reading.peakMemoryBytes / MEBIBYTE });
    const before = known?.before ?? { t, reading };
    const seconds = (t - before.t) / 1_000;
    const { taskId, attempt, memoryLimitMb } = task;
    return {
      taskId,
      attempt,
      t,
      cpuPercent: rate(before.reading.cpuSeconds, reading.cpuSeconds, seconds) * 100,
      memoryUsedMb: reading.memoryBytes / MEBIBYTE,
      memoryLimitMb,
      networkRxBytesPerSecond: rate(before.reading.networkReceived, reading.networkReceived, seconds),
      networkTxBytesPerSecond: rate(before.reading.networkSent, reading.networkSent, seconds),
      diskReadBytesPerSecond: rate(before.reading.diskRead, reading.diskRead, seconds),
      diskWriteBytesPerSecond: rate(before.reading.diskWritten, reading.diskWritten, seconds),
      processes: reading.processes,
    };
  }

  private async find(task: SampledTask): Promise<CgroupReader | undefined> {
    const pid = await task.mainPid();
    return pid === undefined ? undefined : this.open(pid);
  }
}
