import { join } from 'node:path';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { manager } from '@gantry/jetstream/stream-admin';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Manifest, StreamBackup } from './manifest.js';
import { restoreStream, STREAM_LIMITS, type StreamState } from './stream-snapshot.js';

export interface RestoreTarget {
  nc: NatsConnection;
  /** Opened only when the backup has tables. */
  openClickHouse: (database: string) => Promise<ClickHouse>;
  /** True deletes streams and tables of the same names; false refuses. */
  replace: boolean;
  onProgress: (line: string) => void;
}

/** Restores a verified backup. No service may run: it would write between the streams. */
export async function restoreBackup(
  folder: string,
  manifest: Manifest,
  { nc, openClickHouse, replace, onProgress }: RestoreTarget,
): Promise<void> {
  const jsm = await manager(nc);
  const present: string[] = [];
  for await (const { config, state } of jsm.streams.list()) {
    if (state.messages > 0 && !replace) throw notEmpty(`stream ${config.name} has ${state.messages} messages`);
    present.push(config.name);
  }
  const clickhouse = manifest.clickhouse === null ? undefined : await openClickHouse(manifest.clickhouse.database);
  try {
    if (clickhouse !== undefined && manifest.clickhouse !== null) {
      await restoreTables(folder, manifest.clickhouse.tables, clickhouse, replace, onProgress);
    }
    // Also what the backup does not have: its owner makes it anew, and mixed ages would contradict each other.
    for (const name of present) await jsm.streams.delete(name);
    for (const stream of manifest.streams) {
      const { name, file, config, state, messages, lastSequence } = stream;
      const restored = await restoreStream(nc, name, { config, state }, join(folder, file));
      if (!isWhole(restored, stream, manifest.verified)) {
        throw new GantryError(
          'BACKUP.RESTORE_INCOMPLETE',
          'internal',
          `${name} has ${restored.messages} messages to sequence ${restored.last_seq} after the restore, of ${messages} to ${lastSequence}. Restore again with --replace, or use another backup.`,
        );
      }
      onProgress(`${name}: ${restored.messages} messages to sequence ${restored.last_seq}`);
    }
  } finally {
    await clickhouse?.close();
  }
}

/** A stream with a limit drops what is over it as soon as it is back; an unverified snapshot may hold more than its start had. */
function isWhole(restored: StreamState, { config, messages, lastSequence }: StreamBackup, verified: boolean): boolean {
  if (!verified) return restored.last_seq >= lastSequence;
  const limited = STREAM_LIMITS.some((limit) => Number(config[limit] ?? 0) > 0);
  return (
    restored.last_seq === lastSequence && (limited ? restored.messages <= messages : restored.messages === messages)
  );
}

async function restoreTables(
  folder: string,
  tables: NonNullable<Manifest['clickhouse']>['tables'],
  clickhouse: ClickHouse,
  replace: boolean,
  onProgress: (line: string) => void,
): Promise<void> {
  await clickhouse.ensureDatabase();
  const present = new Set((await clickhouse.tables()).map(({ name }) => name));
  const [taken] = tables.filter(({ name }) => present.has(name));
  if (taken !== undefined && !replace) throw notEmpty(`table ${taken.name} exists`);
  for (const name of present) await clickhouse.command(`DROP TABLE ${name} SYNC`);
  for (const { name, create, file } of tables) {
    await clickhouse.command(create);
    await clickhouse.importTable(name, join(folder, file));
    onProgress(`table ${name} is back`);
  }
}

function notEmpty(what: string): GantryError {
  return new GantryError(
    'BACKUP.TARGET_NOT_EMPTY',
    'conflict',
    `There is something already: ${what}. Restore into an empty system, or give --replace to lose what is there.`,
  );
}
