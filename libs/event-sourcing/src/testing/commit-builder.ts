import type { Commit } from '@gantry/contracts/messaging/commit';

/** Events of a counter: enough domain to test stores and handlers with. */
export type CounterEvent =
  | { readonly type: 'Added'; readonly data: { amount: number } }
  | { readonly type: 'Closed'; readonly data: { at: number } };

/** A commit of aggregate `aggregateId` with one `Added` event, unless told otherwise. */
export function counterCommit(
  aggregateId: string,
  version: number,
  changes: Partial<Commit<CounterEvent>> = {},
): Commit<CounterEvent> {
  return {
    id: `${aggregateId}-${version}`,
    stream: 'COUNTERS',
    aggregateId,
    version,
    schemaVersion: 1,
    occurredAt: 1_000 + version,
    actor: { kind: 'service', id: 'test' },
    correlationId: 'correlation',
    causationId: 'causation',
    events: [{ type: 'Added', data: { amount: version } }],
    ...changes,
  };
}
