import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { HealthState } from './health.js';

/** A registry of its own per service, with the process metrics and the label `service` on everything. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` (Prometheus text) and `/health` (200, or 503 when unhealthy). Answers undefined when `port` is 0 = off.
 * Listens on all interfaces: the scraper is another machine, and neither page holds user data.
 */
export async function startMetricsServer(
  registry: Registry,
  health: HealthState,
  port: number,
): Promise<MetricsServer | undefined> {
  if (port <= 0) return undefined;
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/health') {
      const report = health.report();
      response.writeHead(report.status === 'unhealthy' ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(report));
    } else if (path === '/metrics') {
      registry.metrics().then(
        (text) => {
          response.writeHead(200, { 'content-type': registry.contentType });
          response.end(text);
        },
        () => {
          response.writeHead(500);
          response.end();
        },
      );
    } else {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
