import type { StreamMessage } from '@gantry/jetstream/stream-message';

/**
 * Turns messages of one stream into rows. The same message may come any number of times, also late and out of order:
 * applying it again changes nothing. Resolves once everything is stored.
 */
export interface StreamProjection {
  apply(messages: readonly StreamMessage[]): Promise<void>;
  /** Forgets what it remembers of the store, which may have been emptied. */
  reset?(): void;
}
