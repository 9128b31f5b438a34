import type { NatsConnection } from '@nats-io/transport-node';
import { ConnectionState } from '@gantry/jetstream/connection-state';
import type { HealthState } from '@gantry/nest-platform/health';

/** Without the broker the gateway can answer nothing. */
export function watchConnection(nc: NatsConnection, health: HealthState): void {
  const tell = (connected: boolean) => {
    if (connected) health.set('broker', 'healthy');
    else health.set('broker', 'unhealthy', 'The connection to NATS is lost; it is being tried again.');
  };
  const state = ConnectionState.of(nc);
  tell(state.connected);
  state.onChange(tell);
}
