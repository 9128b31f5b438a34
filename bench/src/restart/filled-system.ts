import { streams } from '@gantry/contracts/messaging/streams';
import { jetStreamOf } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import type { NatsConnection } from '@nats-io/transport-node';
import { type ServiceName, ServiceSystem } from '../system/service-system.js';
import { until } from '../system/until.js';
import { StoredHistory } from './stored-history.js';

/** The tasks service's consumer of ASSIGN. */
const RECORDER = 'tasks-assign';
const INDEXER = `telemetry-${streams.tasks.name.toLowerCase()}`;
/** Commits after which a service saves a snapshot by itself, with some room. */
const SAVED_WHILE_RUNNING = 120_000;
/** A service that ends saves what it holds. */
const SAVING_MS = 180_000;
const FILLING_MS = 1_800_000;
const WITH_STATE = ['tasks', 'scheduler'] as const;

export interface Load {
  readonly name: string;
  readonly ended: number;
  readonly queued: number;
  /** Those that are measured. */
  readonly services: readonly ServiceName[];
}

/** Seconds until a service serves. */
export async function startOf(system: ServiceSystem, name: ServiceName): Promise<number> {
  const startedAt = performance.now();
  await system.startService(name);
  return (performance.now() - startedAt) / 1_000;
}

/** Seconds until it has ended by itself. */
export async function stopOf(system: ServiceSystem, name: ServiceName): Promise<number> {
  const startedAt = performance.now();
  await system.stopService(name, 'SIGTERM', SAVING_MS);
  return (performance.now() - startedAt) / 1_000;
}

/** The services have made their own streams and consumers, and have stopped again. */
export async function emptySystem({ services }: Load, profileFolder: string | undefined): Promise<ServiceSystem> {
  const system = await ServiceSystem.start(services, profileFolder);
  const jsm = await manager(system.nc);
  await until(
    async () => (await jsm.consumers.info(streams.assign.name, RECORDER).catch(() => undefined)) !== undefined,
    30_000,
  );
  await Promise.all(services.map((name) => stopOf(system, name)));
  return system;
}

/** Writes what real services would have left behind; what is about assignments counts as long since consumed. */
export async function writeHistory({ nc }: ServiceSystem, { ended, queued }: Load): Promise<void> {
  const history = await StoredHistory.on(nc);
  await history.finished(ended);
  await history.queued(queued);
  await acknowledgeAll(nc);
}

/** Both read their streams from the start, side by side, and save a snapshot. Answers the seconds until each served. */
export async function startWithoutSnapshots(system: ServiceSystem): Promise<Record<'tasks' | 'scheduler', number>> {
  const { messages } = (await (await manager(system.nc)).streams.info(streams.tasks.name)).state;
  const [tasks, scheduler] = await Promise.all([startOf(system, 'tasks'), startOf(system, 'scheduler')]);
  // A small history gets its snapshot at the stop only.
  if (messages > SAVED_WHILE_RUNNING) await until(() => haveSnapshots(system.nc), SAVING_MS, 500);
  await Promise.all(WITH_STATE.map((name) => stopOf(system, name)));
  return { tasks, scheduler };
}

/** Telemetry itself takes the tasks into its ClickHouse. */
export async function fillClickHouse(system: ServiceSystem): Promise<void> {
  const jsm = await manager(system.nc);
  await system.startService('telemetry');
  await until(
    async () => {
      const { num_pending, num_ack_pending } = await jsm.consumers.info(streams.tasks.name, INDEXER);
      return num_pending + num_ack_pending === 0;
    },
    FILLING_MS,
    1_000,
  );
  await stopOf(system, 'telemetry');
}

/** Seconds in which the client's own reader takes every message of TASKS, and does nothing with it. */
export async function bareRead({ nc }: ServiceSystem): Promise<number> {
  const startedAt = performance.now();
  const consumer = await jetStreamOf(nc).consumers.get(streams.tasks.name);
  const messages = await consumer.consume({ max_messages: 1_000 });
  for await (const message of messages) if (message.info.pending === 0) break;
  await messages.close();
  return (performance.now() - startedAt) / 1_000;
}

async function haveSnapshots(nc: NatsConnection): Promise<boolean> {
  const jsm = await manager(nc);
  for (const bucket of WITH_STATE) {
    const head = await jsm.streams
      .getMessage(`KV_${bucket}`, { last_by_subj: `$KV.${bucket}.snapshot.board.head` })
      .catch(() => null);
    if (head === null) return false;
  }
  return true;
}

async function acknowledgeAll(nc: NatsConnection): Promise<void> {
  const jsm = await manager(nc);
  if ((await jsm.consumers.info(streams.assign.name, RECORDER)).num_pending === 0) return;
  const consumer = await jetStreamOf(nc).consumers.get(streams.assign.name, RECORDER);
  const messages = await consumer.consume({ max_messages: 1_000 });
  for await (const message of messages) {
    message.ack();
    if (message.info.pending === 0) break;
  }
  await messages.close();
  await nc.flush();
}
