import type { createRegistry } from '@gantry/nest-platform/metrics';
import { Gauge } from 'prom-client';
import type { WorkerAgent } from '../worker-agent.js';

type Registry = ReturnType<typeof createRegistry>;

/** What a scrape of the agent shows beside the process metrics. */
export function registerAgentMetrics(registry: Registry, agent: WorkerAgent): void {
  new Gauge({
    name: 'gantry_worker_attempts',
    help: 'Attempts on this machine by phase',
    labelNames: ['phase'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { phase } of agent.running) this.inc({ phase });
    },
  });
}
