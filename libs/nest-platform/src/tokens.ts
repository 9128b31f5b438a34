/** Tokens for `@Inject`, provided by the global platform module of every service. */
export const LOGGER = Symbol('gantry.logger');
export const CLOCK = Symbol('gantry.clock');
export const IDS = Symbol('gantry.ids');
export const NATS_CONNECTION = Symbol('gantry.nats-connection');
export const REQUEST_CLIENT = Symbol('gantry.request-client');
export const HEALTH = Symbol('gantry.health');
export const METRICS_REGISTRY = Symbol('gantry.metrics-registry');
/** What a reader of streams needs of its service; see `ConsumerHost` in `@gantry/jetstream`. */
export const CONSUMER_HOST = Symbol('gantry.consumer-host');
