import type { StreamDefinition } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { backOff, pause } from './pause.js';

const nanos = (milliseconds: number): number => milliseconds * 1_000_000;

/** Copies of each stream that is made through a connection; 1 unless the process says otherwise. */
const replicas = new WeakMap<NatsConnection, number>();
/** A server alone refuses copies with the first code, a cluster without enough servers with the others. */
const TOO_FEW_BROKERS = new Set([10_074, 10_005, 10_004]);

/** How many servers keep each stream that this connection makes from now on. */
export function setReplicas(nc: NatsConnection, count: number): void {
  replicas.set(nc, count);
}

export function replicasOf(nc: NatsConnection): number {
  return replicas.get(nc) ?? 1;
}

/** Owned streams per connection, to be made again when a broker comes back without them. */
const owned = new WeakMap<NatsConnection, Map<string, StreamDefinition>>();

function configOf(definition: StreamDefinition, copies: number): Partial<StreamConfig> & { name: string } {
  return {
    name: definition.name,
    subjects: [...definition.subjects],
    storage: definition.storage === 'file' ? StorageType.File : StorageType.Memory,
    retention: definition.retention === 'limits' ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
    max_age: nanos(definition.maxAgeMs),
    max_bytes: definition.maxBytes,
    max_msgs_per_subject: definition.maxMessagesPerSubject,
    discard: definition.discard === 'old' ? DiscardPolicy.Old : DiscardPolicy.New,
    duplicate_window: nanos(definition.duplicateWindowMs),
    num_replicas: copies,
    // Reads that the leader answers are never older than the last acknowledged append; direct reads can be.
    allow_direct: false,
  };
}

/**
 * Creates the stream, or updates it to the definition. Idempotent, safe to call from several replicas at once. Only the
 * owning service calls it. It also keeps the stream alive: a memory stream is gone after a restart of the broker, so it is
 * ensured again whenever this connection comes back.
 */
export async function ensureStream(nc: NatsConnection, definition: StreamDefinition): Promise<void> {
  await applyDefinition(nc, definition);
  let definitions = owned.get(nc);
  if (definitions === undefined) {
    definitions = new Map();
    owned.set(nc, definitions);
    const remembered = definitions;
    const state = ConnectionState.of(nc);
    state.onChange((connected) => {
      if (connected) void restore(nc, state, remembered);
    });
  }
  definitions.set(definition.name, definition);
}

/** Streams that are known to be complete, with the time of their making, per connection. */
const complete = new WeakMap<NatsConnection, Map<string, string>>();
/** Much longer than a broker takes to set a stream up. */
const SETUP_MS = 100;

/**
 * Information about a stream that is safe to read from. Brokers before 2.10 list a stream a moment before its storage is set
 * up, and a read (or a new consumer) in that moment crashes the whole broker: seen with 2.9.10, `jsMsgGetRequest`, nil pointer.
 * So a stream that this connection sees for the first time is left alone until it must be complete.
 */
export async function readableStream(nc: NatsConnection, name: string): Promise<StreamInfo> {
  const jsm = await manager(nc);
  const info = await jsm.streams.info(name);
  if (!isOlderBroker(nc, '2.10')) return info;
  let known = complete.get(nc);
  if (known === undefined) {
    known = new Map();
    complete.set(nc, known);
  }
  const created = String(info.created);
  if (known.get(name) === created) return info;
  await pause(SETUP_MS);
  const again = await jsm.streams.info(name);
  known.set(name, String(again.created));
  return again;
}

/** By major and minor version; than something that is no version no broker is older. */
export function isOlderBroker(nc: NatsConnection, than: string): boolean {
  const [major = 0, minor = 0] = (nc.info?.version ?? '0.0').split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

async function restore(
  nc: NatsConnection,
  state: ConnectionState,
  definitions: Map<string, StreamDefinition>,
): Promise<void> {
  for (const definition of definitions.values()) {
    for (let round = 0; state.connected; round += 1) {
      try {
        await applyDefinition(nc, definition);
        break;
      } catch {
        // The broker answers before JetStream has read its files: keep trying for as long as we are connected.
        await pause(backOff(round, 50, 1_000));
      }
    }
  }
}

async function applyDefinition(nc: NatsConnection, definition: StreamDefinition): Promise<void> {
  const jsm = await manager(nc);
  const config = configOf(definition, replicasOf(nc));
  try {
    const { config: present } = await jsm.streams.info(definition.name);
    const differs = (Object.keys(config) as (keyof typeof config)[]).some(
      (key) => JSON.stringify(present[key] ?? false) !== JSON.stringify(config[key] ?? false),
    );
    if (differs) await jsm.streams.update(definition.name, config);
  } catch (error) {
    if (!isStreamMissing(error)) throw explained(error, definition.name, replicasOf(nc));
    await jsm.streams.add(config).catch((refusal: unknown) => {
      throw explained(refusal, definition.name, replicasOf(nc));
    });
  }
}

function explained(error: unknown, name: string, copies: number): unknown {
  if (copies === 1 || !(error instanceof JetStreamApiError) || !TOO_FEW_BROKERS.has(error.code)) return error;
  return new GantryError(
    'STREAM.TOO_FEW_BROKERS',
    'unavailable',
    `Stream ${name} needs ${copies} brokers of one cluster (GANTRY_STREAM_REPLICAS). Start them all, or ask for fewer copies.`,
    { cause: error },
  );
}

/** Resolves as soon as the stream exists and may be read; a retryable `unavailable` error after `timeoutMs` (default one minute). */
export async function waitForStream(
  nc: NatsConnection,
  name: string,
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    try {
      await readableStream(nc, name);
      return;
    } catch (error) {
      if (nc.isClosed()) throw error;
      if (performance.now() >= deadline) {
        throw new GantryError(
          'STREAM.MISSING',
          'unavailable',
          `Stream ${name} does not exist yet. Start the service that owns it.`,
          {
            cause: error,
          },
        );
      }
      await pause(backOff(round, 25, 500));
    }
  }
}

/**
 * Tells of sequences up to the present end of a stream whether their messages have left it. The broker names each message that left
 * from between others, in about eight bytes.
 */
export async function removedFrom(nc: NatsConnection, name: string): Promise<(sequence: number) => boolean> {
  const { state } = await (await manager(nc)).streams.info(name, { deleted_details: true });
  const gone = new Set(state.deleted);
  return (sequence) => sequence < state.first_seq || gone.has(sequence);
}

/** A manager without the account look-up at the start, which workers' credentials do not allow and nobody needs. */
export function manager(nc: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(nc, { checkAPI: false });
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
