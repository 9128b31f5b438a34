import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { manager } from '@gantry/jetstream/stream-admin';
import { GantryError } from '@gantry/kernel/gantry-error';
import { type ConsumerInfo, type JetStreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { inBackupOrder } from './backup-order.js';
import { fingerprint, type Manifest, type StreamBackup, type TableBackup, writeManifest } from './manifest.js';
import { SnapshotVerifier } from './snapshot-verifier.js';
import { snapshotStream } from './stream-snapshot.js';

/** A table as a file of ClickHouse's Native format, anywhere on this machine. */
export interface ExportedTable {
  name: string;
  create: string;
  /** Moved into the backup. */
  path: string;
}

export interface BackupSources {
  nc: NatsConnection;
  /** Null leaves ClickHouse out. Runs first: what it lacks is filled from the streams, what it had too much would stay. */
  exportTables: ((folder: string) => Promise<{ database: string; tables: ExportedTable[] }>) | null;
  /** False believes the broker that each snapshot is whole: no nats-server is needed on this machine then. */
  verify: boolean;
  onProgress: (line: string) => void;
}

/** Writes a whole backup into `folder`, which must not exist; it gets its name only when it is complete. */
export async function writeBackup(
  folder: string,
  { nc, exportTables, verify, onProgress }: BackupSources,
): Promise<Manifest> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new GantryError('BACKUP.FOLDER_EXISTS', 'conflict', `${folder} is there already. Name a new folder.`);
  }
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  const clickhouse = exportTables === null ? null : await saveTables(await exportTables(partial), partial, onProgress);
  const streams = await saveStreams(nc, partial, verify, onProgress);
  const manifest: Manifest = {
    format: 1,
    createdAt: new Date().toISOString(),
    brokerVersion: brokerVersion(nc),
    verified: verify,
    streams,
    clickhouse,
  };
  writeManifest(partial, manifest);
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
  return manifest;
}

async function saveStreams(
  nc: NatsConnection,
  folder: string,
  verify: boolean,
  onProgress: (line: string) => void,
): Promise<StreamBackup[]> {
  const jsm = await manager(nc);
  const names: string[] = [];
  for await (const { config } of jsm.streams.list()) {
    // A memory stream holds nothing that would outlive a restart of the broker.
    if (config.storage === StorageType.File) names.push(config.name);
  }
  const verifier = verify ? await SnapshotVerifier.start(join(folder, 'verified'), brokerVersion(nc)) : undefined;
  const saved: StreamBackup[] = [];
  try {
    for (const name of inBackupOrder(names)) {
      const file = `stream-${name}.snapshot`;
      const path = join(folder, file);
      const { config, state } = await (verifier?.snapshot(nc, name, path, onProgress) ??
        snapshotStream(nc, name, path));
      saved.push({
        name,
        file,
        ...(await fingerprint(path)),
        messages: state.messages,
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
        consumers: state.consumer_count,
        config,
        state,
      });
      onProgress(`${name}: ${state.messages} messages to sequence ${state.last_seq}`);
    }
  } finally {
    await verifier?.close();
    for (const name of names) await removeAcknowledged(jsm, name);
  }
  return saved;
}

function brokerVersion(nc: NatsConnection): string {
  return nc.info?.version ?? 'unknown';
}

/**
 * The broker removes nothing from a stream while a snapshot of it is taken, and what was acknowledged then stays in a work queue for
 * good (nats-server 2.9.10, filestore.go, removeMsg). All that its only consumer has acknowledged without a gap can go.
 */
async function removeAcknowledged(jsm: JetStreamManager, stream: string): Promise<void> {
  const { config } = await jsm.streams.info(stream);
  if (config.retention !== RetentionPolicy.Workqueue) return;
  const consumers: ConsumerInfo[] = [];
  for await (const consumer of jsm.consumers.list(stream)) consumers.push(consumer);
  const [only] = consumers;
  if (only === undefined || consumers.length > 1 || isFiltered(only)) return;
  if (only.ack_floor.stream_seq > 0) await jsm.streams.purge(stream, { seq: only.ack_floor.stream_seq + 1 });
}

function isFiltered({ config }: ConsumerInfo): boolean {
  return [config.filter_subject ?? '', ...(config.filter_subjects ?? [])].some((filter) => filter !== '');
}

async function saveTables(
  { database, tables }: { database: string; tables: readonly ExportedTable[] },
  folder: string,
  onProgress: (line: string) => void,
): Promise<Manifest['clickhouse']> {
  const saved: TableBackup[] = [];
  for (const { name, create, path } of tables) {
    const file = `table-${name}.native`;
    renameSync(path, join(folder, file));
    const sum = await fingerprint(join(folder, file));
    saved.push({ name, create, file, ...sum });
    onProgress(`table ${name}: ${sum.bytes} bytes`);
  }
  return { database, tables: saved };
}
