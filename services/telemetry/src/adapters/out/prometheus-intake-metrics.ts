import { Counter, Histogram, type Registry } from 'prom-client';
import type { IntakeMetrics } from '../../application/intake-metrics.port.js';

export class PrometheusIntakeMetrics implements IntakeMetrics {
  private readonly messages: Counter<'stream'>;
  private readonly delay: Histogram<'stream'>;

  constructor(registry: Registry) {
    this.messages = new Counter({
      name: 'gantry_telemetry_messages_total',
      help: 'Stream messages stored in ClickHouse',
      labelNames: ['stream'],
      registers: [registry],
    });
    this.delay = new Histogram({
      name: 'gantry_telemetry_delay_seconds',
      help: 'From the storing of a message by the broker to its being readable in ClickHouse',
      labelNames: ['stream'],
      buckets: [0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60, 300],
      registers: [registry],
    });
  }

  applied(stream: string, messages: number, delaySeconds: number): void {
    this.messages.inc({ stream }, messages);
    this.delay.observe({ stream }, delaySeconds);
  }
}
