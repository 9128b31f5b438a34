import { MessagingMetrics } from '@gantry/nest-platform/messaging-metrics';
import { NestLogger } from '@gantry/nest-platform/nest-logger';
import type { DynamicModule, INestMicroservice, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { createPlatform, type CreatePlatformOptions, type Platform } from './create-platform.js';
import { GantryTransport } from './gantry-transport.js';
import { PlatformModule } from './platform.module.js';
import { TransparentExceptionFilter } from './transparent-exception.filter.js';

export interface StartServiceOptions extends CreatePlatformOptions {
  module: DynamicModule | Type;
}

export interface RunningService extends Platform {
  app: INestMicroservice;
  /** Takes in nothing new, finishes what is in hand, runs the shutdown hooks, closes the connection. */
  stop(): Promise<void>;
}

/** A service in this process, serving when the promise resolves. Knows nothing of signals: see `boot-service.ts`. */
export async function startService(options: StartServiceOptions): Promise<RunningService> {
  const platform = await createPlatform(options);
  try {
    const { nc, logger, health, registry } = platform;
    const host = { nc, logger, health, metrics: new MessagingMetrics(registry) };
    const strategy = new GantryTransport({ ...host, service: options.name });
    const root: DynamicModule = {
      module: class ServiceRoot {},
      imports: [PlatformModule.register(platform, host), options.module],
    };
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(root, {
      strategy,
      logger: new NestLogger(logger),
      abortOnError: false,
    });
    app.useGlobalFilters(new TransparentExceptionFilter());
    await app.listen();
    return {
      ...platform,
      app,
      async stop() {
        await app.close();
        await platform.close();
      },
    };
  } catch (error) {
    await platform.close();
    throw error;
  }
}
