import type { BaseEnvironment } from '@gantry/nest-platform/environment';
import { HealthState } from '@gantry/nest-platform/health';
import { createLogger } from '@gantry/nest-platform/logger';
import { createRegistry, startMetricsServer } from '@gantry/nest-platform/metrics';
import type { NatsConnection } from '@nats-io/transport-node';
import { connectNats } from '../connect.js';
import { ConnectionState } from '../connection-state.js';
import { setReplicas } from '../stream-admin.js';
import { StorageState } from '../storage-state.js';
import { RequestClient } from '../request-client.js';
import type { PlatformParts } from './platform.module.js';

export interface CreatePlatformOptions {
  name: string;
  environment: BaseEnvironment;
  /** Default: `connectNats` with the environment's address and credentials. */
  connect?: () => Promise<NatsConnection>;
}

export interface Platform extends PlatformParts {
  /** Sends what is still to be sent, then closes the connection and the metrics page. */
  close(): Promise<void>;
}

/** Connection, logger, health and metrics of one process. Programs with a server of their own (the gateway) begin here too. */
export async function createPlatform({ name, environment, connect }: CreatePlatformOptions): Promise<Platform> {
  const logger = createLogger(name, { level: environment.LOG_LEVEL, format: environment.LOG_FORMAT });
  const health = new HealthState(name);
  const registry = createRegistry(name);
  const metricsServer = await startMetricsServer(registry, health, environment.METRICS_PORT);
  health.set('broker', 'unhealthy', 'not connected yet');
  const nc = await (connect?.() ??
    connectNats({ url: environment.NATS_URL, user: environment.NATS_USER, password: environment.NATS_PASSWORD, name }));
  setReplicas(nc, environment.GANTRY_STREAM_REPLICAS);
  health.set('broker', 'healthy');
  ConnectionState.of(nc).onChange((connected) => {
    health.set('broker', connected ? 'healthy' : 'unhealthy', connected ? undefined : 'disconnected from the broker');
    if (nc.isClosed()) return;
    if (connected) logger.info('broker connected again');
    else logger.warn('broker connection lost');
  });
  StorageState.of(nc).onChange((trouble) => {
    health.set('storage', trouble === undefined ? 'healthy' : 'unhealthy', trouble);
    if (trouble === undefined) logger.info('the broker stores again');
    else logger.error({ trouble }, 'the broker does not store');
  });
  return {
    nc,
    client: new RequestClient(nc),
    logger,
    health,
    registry,
    async close() {
      if (!nc.isClosed()) await nc.drain();
      await metricsServer?.close();
      health.stop();
    },
  };
}
