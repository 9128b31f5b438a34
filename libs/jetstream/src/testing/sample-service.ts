import 'reflect-metadata';
import { defineRequest } from '@gantry/contracts/messaging/request';
import { readBaseEnvironment } from '@gantry/nest-platform/environment';
import { Controller, Module, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { bootService } from '../nest/boot-service.js';
import { HandleRequest } from '../nest/decorators.js';

/** A program of its own, started by the tests of the life of a process. */
export const linger = defineRequest({
  subject: 'cmd.sample.linger',
  input: z.object({ milliseconds: z.int() }),
  output: z.object({ finished: z.boolean() }),
});
export const explode = defineRequest({
  subject: 'cmd.sample.explode',
  input: z.object({}),
  output: z.object({}),
  timeoutMs: 2_000,
});

@Controller()
class SampleRequests implements OnApplicationShutdown {
  @HandleRequest(linger)
  async linger({ milliseconds }: { milliseconds: number }) {
    process.send?.({ type: 'lingering' });
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return { finished: true };
  }

  /** Throws where nobody catches. */
  @HandleRequest(explode)
  explode() {
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
    return Promise.resolve({});
  }

  onApplicationShutdown(): void {
    if (process.connected) process.send?.({ type: 'hooks' });
  }
}

@Module({ controllers: [SampleRequests] })
class SampleModule {}

if (process.argv[2] === 'run')
  await bootService({ name: 'sample', environment: readBaseEnvironment(), module: SampleModule });
