export {
  type NatsServerFixture,
  type NatsServerOptions,
  startNatsServer,
} from '@gantry/jetstream/testing/nats-server.fixture';
