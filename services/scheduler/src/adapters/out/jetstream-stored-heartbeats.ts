import { type Heartbeat, heartbeatSchema } from '@gantry/contracts/agents/heartbeat';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { manager } from '@gantry/jetstream/stream-admin';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StoredHeartbeats } from '../../application/scheduling.ports.js';

/** FLEET keeps the newest heartbeat of each worker. */
export class JetStreamStoredHeartbeats implements StoredHeartbeats {
  constructor(private readonly nc: NatsConnection) {}

  async newest(workerId: string): Promise<Heartbeat | undefined> {
    const jsm = await manager(this.nc);
    const stored = await jsm.streams.getMessage(streams.fleet.name, { last_by_subj: subjects.fleet(workerId) });
    if (stored === null) return undefined;
    return heartbeatSchema.safeParse(stored.json()).data;
  }

  async workerIds(): Promise<string[]> {
    const jsm = await manager(this.nc);
    const { state } = await jsm.streams.info(streams.fleet.name, { subjects_filter: subjects.fleet('*') });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subjects.fleet('').length));
  }
}
