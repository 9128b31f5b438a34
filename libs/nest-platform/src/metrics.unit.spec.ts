import { createServer, type AddressInfo } from 'node:net';
import { healthReportSchema } from '@gantry/contracts/messaging/request';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HealthState } from './health.js';
import { MessagingMetrics } from './messaging-metrics.js';
import { createRegistry, type MetricsServer, startMetricsServer } from './metrics.js';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

describe('metrics and health', () => {
  let health: HealthState;
  let server: MetricsServer | undefined;

  beforeEach(() => {
    health = new HealthState('tasks');
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    health.stop();
  });

  it('reports the worst part and why, in the form of the contract', () => {
    expect(healthReportSchema.parse(health.report())).toMatchObject({
      service: 'tasks',
      status: 'healthy',
      reasons: [],
    });
    health.set('broker', 'degraded', 'slow');
    health.set('index', 'unhealthy');
    expect(health.report()).toMatchObject({ status: 'unhealthy', reasons: ['broker: slow', 'index is unhealthy'] });
    health.set('index', 'healthy');
    expect(health.report()).toMatchObject({ status: 'degraded', reasons: ['broker: slow'] });
    expect(health.report().rssBytes).toBeGreaterThan(1_000_000);
  });

  it('serves both over HTTP, 503 when unhealthy', async () => {
    const registry = createRegistry('tasks');
    new MessagingMetrics(registry).message('REPORTS/tasks', 'done', 3);
    server = await startMetricsServer(registry, health, await freePort());
    const base = `http://127.0.0.1:${server?.port}`;
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toContain(
      'gantry_stream_messages_total{consumer="REPORTS/tasks",outcome="done",service="tasks"} 3',
    );
    expect(metrics).toContain('process_resident_memory_bytes');
    expect((await fetch(`${base}/health`)).status).toBe(200);
    health.set('broker', 'unhealthy');
    const unhealthy = await fetch(`${base}/health`);
    expect(unhealthy.status).toBe(503);
    expect(await unhealthy.json()).toMatchObject({ status: 'unhealthy' });
    expect((await fetch(`${base}/else`)).status).toBe(404);
  });

  it('is off at port 0', async () => {
    expect(await startMetricsServer(createRegistry('tasks'), health, 0)).toBeUndefined();
  });
});
