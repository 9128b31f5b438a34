import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connectNats } from '@gantry/jetstream/connect';
import { isOlderBroker, manager } from '@gantry/jetstream/stream-admin';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { NatsConnection } from '@nats-io/transport-node';
import { type BrokerProcess, startBroker } from './broker-process.js';
import {
  restoreStream,
  snapshotStream,
  STREAM_LIMITS,
  type StreamSnapshot,
  type StreamState,
} from './stream-snapshot.js';

/** How often a stream is read before the backup gives up: it takes a purge at the wrong moment to need a second one. */
const ATTEMPTS = 5;
const PAUSE_MS = 1_000;

/**
 * Restores snapshots into a broker of its own, to see what is in them. It has to be looked at: when a purge removes a file that
 * the stream's broker is about to read, the snapshot ends there, and the broker calls it complete (filestore.go, streamSnapshot).
 */
export class SnapshotVerifier {
  private constructor(
    private readonly folder: string,
    private readonly broker: BrokerProcess,
    private readonly nc: NatsConnection,
  ) {}

  /** `folder` has room for the largest stream twice. Fails when the broker on this machine is older than `sourceVersion`. */
  static async start(folder: string, sourceVersion: string): Promise<SnapshotVerifier> {
    const broker = await startBroker(folder);
    try {
      const nc = await connectNats({ url: broker.url, name: 'gantry backup' });
      if (!isOlderBroker(nc, sourceVersion)) return new SnapshotVerifier(folder, broker, nc);
      const version = nc.info?.version;
      await nc.close();
      throw new GantryError(
        'BACKUP.BROKER_TOO_OLD',
        'unavailable',
        `nats-server ${version} of this machine cannot read what ${sourceVersion} writes. Install ${sourceVersion}, or give --no-verify.`,
      );
    } catch (error) {
      await broker.stop();
      throw error;
    }
  }

  /** A snapshot of which nothing is missing that the stream had before and after it was taken, with what it really holds. */
  async snapshot(
    source: NatsConnection,
    name: string,
    path: string,
    onProgress: (line: string) => void,
  ): Promise<StreamSnapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const { config, state } = await snapshotStream(source, name, path);
      const { state: after } = await (await manager(source)).streams.info(name);
      const held = await this.contentOf(name, { config, state }, path);
      const removed = state.messages + (after.last_seq - state.last_seq) - after.messages;
      if (held.last_seq >= state.last_seq && held.messages >= state.messages - removed) return { config, state: held };
      if (attempt === ATTEMPTS) {
        throw new GantryError(
          'BACKUP.STREAM_BUSY',
          'unavailable',
          `Messages of ${name} were removed while each of ${ATTEMPTS} snapshots was taken, so none of them is whole. Try again when less is removed.`,
          { retryable: true },
        );
      }
      onProgress(`${name}: old messages were removed while it was read; reading it again`);
      await pause(PAUSE_MS * attempt);
    }
  }

  async close(): Promise<void> {
    await this.nc.close();
    await this.broker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Without the stream's limits: what it holds is looked at, not what would stay. */
  private async contentOf(name: string, { config, state }: StreamSnapshot, path: string): Promise<StreamState> {
    const { placement: _, ...rest } = config;
    const unlimited = Object.fromEntries(STREAM_LIMITS.map((limit) => [limit, 0]));
    const here = { ...rest, ...unlimited, num_replicas: 1 };
    const restored = await restoreStream(this.nc, name, { config: here, state }, path);
    await (await manager(this.nc)).streams.delete(name);
    return restored;
  }
}
