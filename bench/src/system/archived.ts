import { streams } from '@gantry/contracts/messaging/streams';
import { manager } from '@gantry/jetstream/stream-admin';
import type { NatsConnection } from '@nats-io/transport-node';
import { until } from './until.js';

const archived = [streams.tasks, streams.assign, streams.sched, streams.logs];

/** Resolves when telemetry has stored in ClickHouse whatever the streams of a task hold, and has said so to the broker. */
export async function everythingArchived(nc: NatsConnection): Promise<void> {
  const jsm = await manager(nc);
  await until(async () => {
    for (const { name } of archived) {
      const { num_pending, num_ack_pending } = await jsm.consumers.info(name, `telemetry-${name.toLowerCase()}`);
      if (num_pending + num_ack_pending > 0) return false;
    }
    return true;
  }, 60_000);
}
