import type { StreamDefinition } from '@gantry/contracts/messaging/streams';

/** A stream for tests, like the ones that are kept for ever. */
export const counters: StreamDefinition = {
  name: 'COUNTERS',
  owner: 'any',
  subjects: ['counters.>'],
  storage: 'file',
  retention: 'limits',
  maxAgeMs: 0,
  maxBytes: -1,
  maxMessagesPerSubject: -1,
  discard: 'new',
  duplicateWindowMs: 120_000,
};
