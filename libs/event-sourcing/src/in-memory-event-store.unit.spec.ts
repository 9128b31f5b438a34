import { InMemoryEventStore } from './in-memory-event-store.js';
import type { CounterEvent } from './testing/commit-builder.js';
import { storeContractSuite } from './testing/store-contract.suite.js';

storeContractSuite('memory', () =>
  Promise.resolve({ store: new InMemoryEventStore<CounterEvent>(), close: () => Promise.resolve() }),
);
