import { TransientSet } from '@gantry/kernel/transient-set';
import type { NatsConnection } from '@nats-io/transport-node';

/** Whether a connection is up, with events. One observer per connection, however many ask. */
export class ConnectionState {
  private static readonly known = new WeakMap<NatsConnection, ConnectionState>();

  static of(nc: NatsConnection): ConnectionState {
    let state = ConnectionState.known.get(nc);
    if (state === undefined) {
      state = new ConnectionState(nc);
      ConnectionState.known.set(nc, state);
    }
    return state;
  }

  private up = true;
  private readonly listeners = new TransientSet<(connected: boolean) => void>();

  private constructor(private readonly nc: NatsConnection) {
    void this.observe();
  }

  get connected(): boolean {
    return this.up && !this.nc.isClosed();
  }

  /** Calls back on every change; the answer unsubscribes. */
  onChange(listener: (connected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when connected, when `milliseconds` are over, or when `signal` aborts, whichever is first. */
  settle(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (this.connected || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        unsubscribe();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      const unsubscribe = this.onChange(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  private async observe(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === 'disconnect' || status.type === 'reconnect') {
        this.up = status.type === 'reconnect';
        for (const listener of [...this.listeners]) listener(this.up);
      }
    }
    this.up = false;
    for (const listener of [...this.listeners]) listener(false);
  }
}
