import { connectNats } from '@gantry/jetstream/connect';
import { RequestClient } from '@gantry/jetstream/request-client';
import { systemClock } from '@gantry/kernel/clock';
import { HealthState } from '@gantry/nest-platform/health';
import { createLogger } from '@gantry/nest-platform/logger';
import { createRegistry, startMetricsServer } from '@gantry/nest-platform/metrics';
import { watchConnection } from './adapters/connection-health.js';
import { JetStreamReader } from './adapters/jetstream-reader.js';
import { readEnvironment } from './environment.js';
import { createParts } from './gateway.parts.js';
import { startGatewayServer } from './gateway.server.js';
import { runUntilStopped } from './process-lifecycle.js';

const environment = readEnvironment();
const logger = createLogger('gateway', { level: environment.LOG_LEVEL, format: environment.LOG_FORMAT });

await runUntilStopped(logger, async () => {
  const health = new HealthState('gateway');
  const registry = createRegistry('gateway');
  const nc = await connectNats({
    url: environment.NATS_URL,
    user: environment.NATS_USER,
    password: environment.NATS_PASSWORD,
    name: 'gateway',
  });
  watchConnection(nc, health);
  const parts = createParts(environment, {
    requests: new RequestClient(nc),
    reader: new JetStreamReader(nc, logger, registry),
    clock: systemClock,
    logger,
    health,
    registry,
  });
  const server = await startGatewayServer(environment, parts);
  const metrics = await startMetricsServer(registry, health, environment.METRICS_PORT);
  logger.info({ url: server.url }, 'ready');
  return async () => {
    await server.stop();
    await metrics?.close();
    await nc.drain();
    health.stop();
  };
});
