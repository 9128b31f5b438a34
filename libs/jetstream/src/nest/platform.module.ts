import { systemClock } from '@gantry/kernel/clock';
import { uuidV7Ids } from '@gantry/kernel/ids';
import type { HealthState } from '@gantry/nest-platform/health';
import type { Logger } from '@gantry/nest-platform/logger';
import {
  CLOCK,
  CONSUMER_HOST,
  HEALTH,
  IDS,
  LOGGER,
  METRICS_REGISTRY,
  NATS_CONNECTION,
  REQUEST_CLIENT,
} from '@gantry/nest-platform/tokens';
import type { createRegistry } from '@gantry/nest-platform/metrics';
import { type DynamicModule, Module } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { RequestClient } from '../request-client.js';
import type { ConsumerHost } from './consumer-host.js';

export interface PlatformParts {
  nc: NatsConnection;
  client: RequestClient;
  logger: Logger;
  health: HealthState;
  registry: ReturnType<typeof createRegistry>;
}

/** Makes the parts that every service has injectable everywhere, by the tokens of `@gantry/nest-platform/tokens`. */
@Module({})
export class PlatformModule {
  static register(parts: PlatformParts, host: ConsumerHost): DynamicModule {
    const providers = [
      { provide: LOGGER, useValue: parts.logger },
      { provide: CLOCK, useValue: systemClock },
      { provide: IDS, useValue: uuidV7Ids },
      { provide: NATS_CONNECTION, useValue: parts.nc },
      { provide: REQUEST_CLIENT, useValue: parts.client },
      { provide: HEALTH, useValue: parts.health },
      { provide: METRICS_REGISTRY, useValue: parts.registry },
      { provide: CONSUMER_HOST, useValue: host },
    ];
    return { module: PlatformModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
