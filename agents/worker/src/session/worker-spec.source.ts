import { arch, hostname, networkInterfaces, platform, release, totalmem } from 'node:os';
import type { GpuSpec, Heartbeat, WorkerSpec } from '@gantry/contracts/agents/heartbeat';
import type { Logger } from '@gantry/nest-platform/logger';
import { version as agentVersion } from '@gantry/nest-platform/version';
import type { WorkerEnvironment } from '../environment.js';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import type { HostSampler } from '../telemetry/host/host.sampler.js';

const MEBIBYTE = 1024 * 1024;
const MAX_IMAGES = 200;
const REFRESH_MS = 30_000;

/** What the machine is and has. The slow parts (images, engine version) are read every half minute. */
export class WorkerSpecSource {
  private images: string[] = [];
  private runtimeVersion = 'unknown';
  private refreshedAt = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly environment: WorkerEnvironment,
    private readonly runtime: ContainerRuntime,
    private readonly host: HostSampler,
    private readonly gpus: () => GpuSpec[],
    private readonly logger: Logger,
  ) {}

  async spec(): Promise<WorkerSpec> {
    if (performance.now() - this.refreshedAt >= REFRESH_MS) {
      this.refreshing ??= this.refresh().finally(() => {
        this.refreshing = undefined;
      });
      // A heartbeat renews leases: it does not wait for an engine that is busy, except for the first one.
      if (this.refreshedAt === Number.NEGATIVE_INFINITY) await this.refreshing;
    }
    const sample = this.host.last ?? (await this.host.sample());
    const env = this.environment;
    return {
      name: env.GANTRY_WORKER_NAME,
      hostname: hostname(),
      address: ownAddress(),
      os: `${platform()} ${release()} ${arch()}`,
      agentVersion,
      runtime: this.runtime.kind,
      runtimeVersion: this.runtimeVersion,
      capacity: {
        cpu: env.GANTRY_WORKER_CPUS,
        memoryMb: env.GANTRY_WORKER_MEMORY_MB ?? Math.floor(totalmem() / MEBIBYTE),
        storageMb: env.GANTRY_WORKER_STORAGE_MB ?? Math.floor(sample.storageTotalMb),
      },
      gpus: this.gpus(),
      labels: env.GANTRY_WORKER_LABELS,
      queues: env.GANTRY_WORKER_QUEUES,
      images: this.images.slice(0, MAX_IMAGES),
      maxTasks: env.GANTRY_WORKER_MAX_TASKS,
    };
  }

  async usage(): Promise<Heartbeat['usage']> {
    const { cpuPercent, memoryUsedMb, memoryTotalMb, storageUsedMb, load1 } =
      this.host.last ?? (await this.host.sample());
    return { cpuPercent, memoryUsedMb, memoryTotalMb, storageUsedMb, load1 };
  }

  /** The next heartbeat tells about images again (one was pulled). */
  expire(): void {
    if (this.refreshedAt !== Number.NEGATIVE_INFINITY) this.refreshedAt = 0;
  }

  private async refresh(): Promise<void> {
    try {
      this.runtimeVersion = await this.runtime.version();
      this.images = await this.runtime.images();
    } catch (error) {
      this.logger.warn({ err: error }, 'container engine does not answer');
    }
    this.refreshedAt = performance.now();
  }
}

function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
    /^(docker|br-|veth|virbr|gty)/.test(name) ? [] : (entries ?? []).filter(({ internal }) => !internal),
  );
  return (addresses.find(({ family }) => family === 'IPv4') ?? addresses[0])?.address ?? '127.0.0.1';
}
