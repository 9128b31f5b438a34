import { getHealth, type HealthReport } from '@gantry/contracts/messaging/request';
import type { Clock } from '@gantry/kernel/clock';
import type { ServiceClient } from '../../adapters/service-client.js';

const askedServices = ['auth', 'tasks', 'scheduler', 'telemetry'] as const;
/** Nobody can log in or submit without these; without the others there is still something to see. */
const vital: ReadonlySet<string> = new Set(['gateway', 'auth', 'tasks']);
const KEPT_MS = 1_000;

export interface SystemHealth {
  status: HealthReport['status'];
  services: HealthReport[];
}

/** The state of the whole system. Kept for a second, so that probes cannot become a load. */
export class SystemHealthQuery {
  private kept: { until: number; answer: Promise<SystemHealth> } | undefined;

  constructor(
    private readonly services: ServiceClient,
    private readonly ownReport: () => HealthReport,
    private readonly clock: Clock,
  ) {}

  read(): Promise<SystemHealth> {
    const now = this.clock.now();
    if (this.kept === undefined || this.kept.until <= now) this.kept = { until: now + KEPT_MS, answer: this.collect() };
    return this.kept.answer;
  }

  private async collect(): Promise<SystemHealth> {
    const reports = await Promise.all(askedServices.map((service) => this.ask(service)));
    const services = [this.ownReport(), ...reports];
    return { status: overall(services), services };
  }

  private async ask(service: string): Promise<HealthReport> {
    try {
      return await this.services.askAsGateway(getHealth(service), {}, `health-of-${service}`);
    } catch {
      return {
        service,
        status: 'unhealthy',
        reasons: ['It does not answer.'],
        uptimeSeconds: 0,
        rssBytes: 0,
        cpuSeconds: 0,
        eventLoopLagMs: 0,
        version: 'unknown',
      };
    }
  }
}

export function overall(services: readonly Pick<HealthReport, 'service' | 'status'>[]): HealthReport['status'] {
  if (services.some(({ service, status }) => status === 'unhealthy' && vital.has(service))) return 'unhealthy';
  return services.every(({ status }) => status === 'healthy') ? 'healthy' : 'degraded';
}
