import { defineRequest, type RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { HandleRequest, HandleStream } from '@gantry/jetstream/nest/decorators';
import { ensureStream } from '@gantry/jetstream/stream-admin';
import { publishJson } from '@gantry/jetstream/publisher';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import { NATS_CONNECTION } from '@gantry/nest-platform/tokens';
import { Controller, Inject, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from './eventually.js';
import { type NatsServerFixture, startNatsServer } from './nats-server.fixture.js';
import { startTestService } from './service-fixture.js';

const count = defineRequest({
  subject: 'query.echo.count',
  input: z.object({}),
  output: z.object({ reports: z.array(z.string()) }),
});
const context: RequestContext = { actor: { kind: 'anonymous' }, correlationId: 'c' };

@Injectable()
class StreamsOwner implements OnModuleInit {
  constructor(@Inject(NATS_CONNECTION) private readonly nc: NatsConnection) {}

  onModuleInit(): Promise<void> {
    return ensureStream(this.nc, streams.reports);
  }
}

@Controller()
class Echo {
  private readonly reports: string[] = [];

  @HandleStream({ stream: streams.reports, durable: 'tasks' })
  take(message: StreamMessage): void {
    this.reports.push(message.subject);
  }

  @HandleRequest(count)
  count() {
    return { reports: this.reports };
  }
}

@Module({ controllers: [Echo], providers: [StreamsOwner] })
class EchoModule {}

let server: NatsServerFixture;

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(() => server.stop());

it('boots a module in this process: streams, consumers and requests', async () => {
  const service = await startTestService({ name: 'echo', module: EchoModule, natsUrl: server.url });
  await publishJson(service.nc, subjects.report('w-1', 't-1'), {});
  await eventually(async () =>
    expect(await service.client.request(count, {}, context)).toEqual({ reports: ['report.w-1.t-1'] }),
  );
  await service.stop();
  expect(service.nc.isClosed()).toBe(true);
});
