import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { HealthReport } from '@gantry/contracts/messaging/request';
import { version } from './version.js';

export type HealthStatus = HealthReport['status'];

const rank: Record<HealthStatus, number> = { healthy: 0, degraded: 1, unhealthy: 2 };

/** What the parts of one service say about themselves; the worst part is the service's status. */
export class HealthState {
  private readonly parts = new Map<string, { status: HealthStatus; reason: string | undefined }>();
  private readonly delay: IntervalHistogram;

  constructor(private readonly service: string) {
    this.delay = monitorEventLoopDelay({ resolution: 20 });
    this.delay.enable();
  }

  set(part: string, status: HealthStatus, reason?: string): void {
    this.parts.set(part, { status, reason });
  }

  report(): HealthReport {
    let status: HealthStatus = 'healthy';
    const reasons: string[] = [];
    for (const [part, state] of this.parts) {
      if (rank[state.status] > rank[status]) status = state.status;
      if (state.status !== 'healthy')
        reasons.push(state.reason === undefined ? `${part} is ${state.status}` : `${part}: ${state.reason}`);
    }
    const cpu = process.cpuUsage();
    // The histogram's mean includes its own sampling interval; what is above it is the lag. NaN before the first sample.
    const lag = Number.isNaN(this.delay.mean) ? 0 : Math.max(0, this.delay.mean / 1e6 - 20);
    this.delay.reset();
    return {
      service: this.service,
      status,
      reasons,
      uptimeSeconds: process.uptime(),
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      eventLoopLagMs: lag,
      version,
    };
  }

  stop(): void {
    this.delay.disable();
  }
}
