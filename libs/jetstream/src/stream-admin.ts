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
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { backOff, pause } from './pause.js';

const nanos = (milliseconds: number): number => milliseconds * 1_000_000;

/** Owned streams per connection, to be made again when a broker comes back without them. */
const owned = new WeakMap<NatsConnection, Map<string, StreamDefinition>>();

function configOf(definition: StreamDefinition): Partial<StreamConfig> & { name: string } {
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

async function restore(nc: NatsConnection, state: ConnectionState, definitions: Map<string, StreamDefinition>): Promise<void> {
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
  const config = configOf(definition);
  try {
    const { config: present } = await jsm.streams.info(definition.name);
    const differs = (Object.keys(config) as (keyof typeof config)[]).some(
      (key) => JSON.stringify(present[key as keyof StreamConfig] ?? false) !== JSON.stringify(config[key] ?? false),
    );
    if (differs) await jsm.streams.update(definition.name, config);
  } catch (error) {
    if (!isStreamMissing(error)) throw error;
    await jsm.streams.add(config);
  }
}

/** Resolves as soon as the stream exists; a retryable `unavailable` error after `timeoutMs` (default one minute). */
export async function waitForStream(nc: NatsConnection, name: string, { timeoutMs = 60_000 }: { timeoutMs?: number } = {}): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    try {
      const jsm = await manager(nc);
      await jsm.streams.info(name);
      return;
    } catch (error) {
      if (nc.isClosed()) throw error;
      if (performance.now() >= deadline) {
        throw new GantryError('STREAM.MISSING', 'unavailable', `Stream ${name} does not exist yet. Start the service that owns it.`, {
          cause: error,
        });
      }
      await pause(backOff(round, 25, 500));
    }
  }
}

/** A manager without the account look-up at the start, which workers' credentials do not allow and nobody needs. */
export function manager(nc: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(nc, { checkAPI: false });
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
