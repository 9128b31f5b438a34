import { GantryError } from '@gantry/kernel/gantry-error';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** The broker refused for want of room: memory, file or account limit, a full stream, a store that failed to write. */
const FULL = new Set([10_023, 10_028, 10_047, 10_077, 10_122]);
/** So many publishes in a row without an answer while connected are no accident: a broker of 2.9 whose disk is full goes silent. */
const SILENT_AFTER = 3;

export function isStorageFull(error: unknown): error is JetStreamApiError {
  return error instanceof JetStreamApiError && FULL.has(error.code);
}

export function storageFull(cause: Error): GantryError {
  return new GantryError(
    'STORE.FULL',
    'unavailable',
    'The event store has no room left; nothing that was accepted is lost. Ask an administrator to free or enlarge the storage, then try again.',
    { cause },
  );
}

/** Whether the broker stores what this connection publishes, with events. One observer per connection, however many ask. */
export class StorageState {
  private static readonly known = new WeakMap<NatsConnection, StorageState>();

  static of(nc: NatsConnection): StorageState {
    let state = StorageState.known.get(nc);
    if (state === undefined) {
      state = new StorageState();
      StorageState.known.set(nc, state);
    }
    return state;
  }

  private trouble: string | undefined;
  private silent = 0;
  private readonly listeners = new Set<(trouble: string | undefined) => void>();

  private constructor() {}

  /** Calls back on every change with what is wrong, or undefined when it stores again. */
  onChange(listener: (trouble: string | undefined) => void): void {
    this.listeners.add(listener);
  }

  answered(): void {
    this.silent = 0;
  }

  stored(): void {
    this.answered();
    this.change(undefined);
  }

  refused(error: JetStreamApiError): void {
    this.change(`the broker has no room: ${error.message}. Free or enlarge its storage`);
  }

  unanswered(): void {
    this.silent += 1;
    if (this.silent >= SILENT_AFTER)
      this.change('the broker confirms nothing: look whether its disk is full, then restart it');
  }

  private change(trouble: string | undefined): void {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    for (const listener of this.listeners) listener(trouble);
  }
}
