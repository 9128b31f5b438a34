import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { type CounterEvent } from '@gantry/event-sourcing/testing/commit-builder';
import { storeContractSuite } from '@gantry/event-sourcing/testing/store-contract.suite';
import { afterAll, beforeAll } from 'vitest';
import { connectNats } from './connect.js';
import { JetStreamEventStore } from './jetstream-event-store.js';
import { ensureStream, manager } from './stream-admin.js';
import { type NatsServerFixture, startNatsServer } from './testing/nats-server.fixture.js';
import { counters } from './testing/counter-stream.js';

let server: NatsServerFixture;

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(() => server.stop());

const definition: StreamDefinition = counters;

storeContractSuite('JetStream', async () => {
  const nc = await connectNats({ url: server.url, name: 'contract' });
  await ensureStream(nc, definition);
  return {
    store: new JetStreamEventStore<CounterEvent>(nc, definition),
    close: async () => {
      await (await manager(nc)).streams.delete(definition.name);
      await nc.close();
    },
  };
});
