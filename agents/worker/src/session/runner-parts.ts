import type { Clock } from '@gantry/kernel/clock';
import type { Logger } from '@gantry/nest-platform/logger';
import type { AttemptResult } from '../domain/attempt.state.js';
import type { ContainerRuntime } from '../runtime/container-runtime.port.js';
import type { AgentStore } from './agent-store.js';
import type { ArtifactUploader } from './artifact.uploader.js';
import type { BootClock } from './boot-clock.js';
import type { GpuCustody } from './gpu-custody.js';
import type { LogPipeline } from './log-pipeline.js';
import type { AttemptReports } from './report.publisher.js';
import type { StartSlots } from './start-slots.js';

interface MeasuredUsage {
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

/** What every attempt of an agent shares. */
export interface RunnerParts {
  readonly runtime: ContainerRuntime;
  readonly store: AgentStore;
  readonly reports: AttemptReports;
  readonly uploader: ArtifactUploader;
  readonly slots: StartSlots;
  readonly gpus: GpuCustody;
  readonly clock: Clock;
  readonly bootClock: BootClock;
  readonly logger: Logger;
  openLog(of: { taskId: string; attempt: number }, signal: AbortSignal): Promise<LogPipeline>;
  /** Whether a lease of this length is over by now: then nothing may be started under it. Milliseconds. */
  isLeaseOver(leaseMs: number): boolean;
  measuredUsage(key: string): MeasuredUsage | undefined;
  /** The attempt is over, reported and cleaned up. */
  onDone(key: string, result: AttemptResult | undefined): void;
}
