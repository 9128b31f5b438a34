import { ExternalStore } from './external-store';

/** State of the live channel (WebSocket). `epoch` counts re-connections: whoever may have missed changes reloads when it grows. */
export interface ConnectionState {
  readonly status: 'connecting' | 'live' | 'reconnecting';
  readonly epoch: number;
}

export class ConnectionStore extends ExternalStore<ConnectionState> {
  constructor() {
    super({ status: 'connecting', epoch: 0 });
  }

  opened(): void {
    const { status, epoch } = this.get();
    this.set({ status: 'live', epoch: status === 'reconnecting' ? epoch + 1 : epoch });
  }

  lost(): void {
    const { epoch, status } = this.get();
    if (status === 'live') this.set({ status: 'reconnecting', epoch });
  }
}
