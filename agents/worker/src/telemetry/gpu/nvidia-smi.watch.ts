import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { GpuSpec } from '@gantry/contracts/agents/heartbeat';
import type { GpuSample } from '@gantry/contracts/agents/metric-batch';
import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import { type GpuReading, gpuQueryFields, parseGpuLine } from './nvidia-smi.parser.js';

/** A first answer can take seconds when the driver is not kept loaded. */
const FIRST_ANSWER_MS = 15_000;
const RESTART_MS = 5_000;
/** All devices of one round are printed together; a pause means that the round is complete. */
const ROUND_GAP_MS = 100;

export interface NvidiaSmiOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly command?: string;
}

/** Watches NVIDIA devices through one looping `nvidia-smi`: starting it for every sample can take seconds. */
export class NvidiaSmiWatch {
  private child: ChildProcess | undefined;
  private restart: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly devices = new Map<string, GpuReading>();
  private unread: { reading: GpuReading; t: number }[] = [];
  private onLine: (() => void) | undefined;

  constructor(private readonly options: NvidiaSmiOptions) {}

  /** Starts watching; resolves to the devices, none if there is no driver. */
  async start(): Promise<GpuSpec[]> {
    const present = await this.launch();
    if (!present) return [];
    return this.specs();
  }

  specs(): GpuSpec[] {
    return [...this.devices.values()]
      .sort((a, b) => a.index - b.index)
      .map(({ id, index, model, memoryTotalMb, driver }) => ({
        id,
        index,
        model,
        memoryMb: memoryTotalMb ?? 0,
        driver,
      }));
  }

  /** Readings since the last call, with the task that has each device reserved. */
  take(taskOf: (gpuId: string) => string | null): GpuSample[] {
    const readings = this.unread;
    this.unread = [];
    return readings.map(({ reading: { index, id, driver: _driver, ...rest }, t }) => ({
      ...rest,
      gpuId: id,
      gpuIndex: index,
      t,
      taskId: taskOf(id),
    }));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.restart);
    this.child?.kill();
  }

  /** Resolves to true once a round of devices has been read, false if the tool is missing, fails or stays silent. */
  private launch(): Promise<boolean> {
    const { command = 'nvidia-smi', intervalMs, logger } = this.options;
    const child = spawn(
      command,
      [`--query-gpu=${gpuQueryFields.join(',')}`, '--format=csv,noheader,nounits', `--loop-ms=${intervalMs}`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    this.child = child;
    return new Promise((resolve) => {
      let settle: NodeJS.Timeout | undefined;
      const silent = setTimeout(() => resolve(false), FIRST_ANSWER_MS);
      const finish = (present: boolean): void => {
        clearTimeout(silent);
        clearTimeout(settle);
        this.onLine = undefined;
        resolve(present);
      };
      this.onLine = () => {
        clearTimeout(settle);
        settle = setTimeout(() => finish(true), ROUND_GAP_MS);
      };
      child.once('error', () => finish(false));
      child.once('exit', (code) => {
        finish(this.devices.size > 0);
        if (this.stopped || this.devices.size === 0) return;
        logger.warn({ code }, 'nvidia-smi ended and is started again');
        this.restart = setTimeout(() => void this.launch(), RESTART_MS);
      });
      createInterface({ input: child.stdout }).on('line', (line) => this.accept(line));
    });
  }

  private accept(line: string): void {
    const reading = parseGpuLine(line);
    if (reading === undefined) return;
    this.devices.set(reading.id, reading);
    this.unread.push({ reading, t: this.options.clock.now() });
    // Nobody fetches while the broker is away: keep the newest few minutes of eight devices.
    if (this.unread.length > 2_000) this.unread.splice(0, this.unread.length - 2_000);
    this.onLine?.();
  }
}
