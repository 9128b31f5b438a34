import { readFile, statfs } from 'node:fs/promises';
import type { HostSample } from '@gantry/contracts/agents/metric-batch';
import type { Clock } from '@gantry/kernel/clock';
import { rate } from '../rate.js';
import { parseCpuTimes, parseDisks, parseLoad, parseMemory, parseNetwork } from './proc.parser.js';

interface Counters {
  readonly t: number;
  readonly busy: number;
  readonly total: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
}

const MEBIBYTE = 1024 * 1024;

/** The whole machine, from `/proc` and the file system of the data folder. */
export class HostSampler {
  private before: Counters | undefined;
  private newest: HostSample | undefined;

  constructor(
    private readonly dataFolder: string,
    private readonly clock: Clock,
  ) {}

  /** The newest sample, without reading anything. */
  get last(): HostSample | undefined {
    return this.newest;
  }

  async sample(): Promise<HostSample> {
    const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
    const [stat, meminfo, loadavg, dev, diskstats, storage] = await Promise.all([
      read('/proc/stat'),
      read('/proc/meminfo'),
      read('/proc/loadavg'),
      read('/proc/net/dev'),
      read('/proc/diskstats'),
      statfs(this.dataFolder),
    ]);
    const t = this.clock.now();
    const now: Counters = { t, ...parseCpuTimes(stat), ...parseNetwork(dev, 'physical'), ...parseDisks(diskstats) };
    const before = this.before ?? now;
    const seconds = (now.t - before.t) / 1_000;
    const ticks = now.total - before.total;
    const memory = parseMemory(meminfo);
    this.before = now;
    this.newest = {
      t,
      cpuPercent: ticks <= 0 ? 0 : Math.min(100, Math.max(0, ((now.busy - before.busy) / ticks) * 100)),
      memoryUsedMb: memory.usedMb,
      memoryTotalMb: memory.totalMb,
      load1: parseLoad(loadavg),
      storageUsedMb: ((storage.blocks - storage.bavail) * storage.bsize) / MEBIBYTE,
      storageTotalMb: (storage.blocks * storage.bsize) / MEBIBYTE,
      networkRxBytesPerSecond: rate(before.received, now.received, seconds),
      networkTxBytesPerSecond: rate(before.sent, now.sent, seconds),
      diskReadBytesPerSecond: rate(before.read, now.read, seconds),
      diskWriteBytesPerSecond: rate(before.written, now.written, seconds),
    };
    return this.newest;
  }
}
