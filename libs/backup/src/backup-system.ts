import { join, resolve } from 'node:path';
import { connectClickHouse } from '@gantry/clickhouse/connect-clickhouse';
import type { ClickHouse } from '@gantry/clickhouse/clickhouse';
import { exportTables } from '@gantry/contracts/telemetry/telemetry-requests';
import { connectNats, type ConnectOptions } from '@gantry/jetstream/connect';
import { RequestClient } from '@gantry/jetstream/request-client';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { NatsConnection } from '@nats-io/transport-node';
import { startBroker } from './broker-process.js';
import { isRunning, localBroker, OPERATOR } from './local-system.js';
import { type Manifest, readVerifiedBackup } from './manifest.js';
import { restoreBackup } from './restore-backup.js';
import { type ExportedTable, writeBackup } from './write-backup.js';

export interface SystemLocation {
  /** Data folder of `npm start`. */
  data: string;
  /** A broker of one's own instead, with a user that may use the whole JetStream API. */
  broker?: Omit<ConnectOptions, 'name'> | undefined;
  /** A ClickHouse server instead of the embedded engine. */
  clickhouse?: { url: string; username?: string; password?: string; database?: string } | undefined;
}

const CONNECT_MS = 10_000;

/** Of a running system. */
export async function backupSystem(
  location: SystemLocation,
  folder: string,
  { streamsOnly, verify, onProgress }: { streamsOnly: boolean; verify: boolean; onProgress: (line: string) => void },
): Promise<Manifest> {
  if (location.broker === undefined && !isRunning(location.data)) {
    throw new GantryError(
      'BACKUP.NOT_RUNNING',
      'conflict',
      `Gantry is not running on ${location.data}. Start it and try again, or copy the whole folder while it is stopped.`,
    );
  }
  const nc = await connected(location.broker ?? localBroker(location.data));
  try {
    return await writeBackup(resolve(folder), {
      nc,
      exportTables: streamsOnly ? null : (target) => exported(location, nc, target),
      verify,
      onProgress,
    });
  } finally {
    await nc.close();
  }
}

/** Into a stopped system: nothing is touched before the whole backup was read and found whole. */
export async function restoreSystem(
  location: SystemLocation,
  folder: string,
  { replace, onProgress }: { replace: boolean; onProgress: (line: string) => void },
): Promise<Manifest> {
  const manifest = await readVerifiedBackup(resolve(folder));
  if (location.broker === undefined && isRunning(location.data)) {
    throw new GantryError(
      'BACKUP.SYSTEM_RUNNING',
      'conflict',
      `Gantry is running on ${location.data}. Stop it first: a restore replaces what its services have in memory.`,
    );
  }
  const broker =
    location.broker === undefined ? await startBroker(join(location.data, 'nats', 'jetstream')) : undefined;
  try {
    const nc = await connected(location.broker ?? { url: broker?.url ?? '' });
    try {
      const openClickHouse = (database: string) => Promise.resolve(connectTo(location, database));
      await restoreBackup(resolve(folder), manifest, { nc, openClickHouse, replace, onProgress });
    } finally {
      await nc.close();
    }
  } finally {
    await broker?.stop();
  }
  return manifest;
}

async function exported(
  location: SystemLocation,
  nc: NatsConnection,
  folder: string,
): Promise<{ database: string; tables: ExportedTable[] }> {
  if (location.clickhouse === undefined) {
    const context = { actor: { kind: 'service', id: OPERATOR }, correlationId: `backup-${folder}` } as const;
    return new RequestClient(nc).request(exportTables, {}, context);
  }
  const clickhouse = connectTo(location, location.clickhouse.database ?? 'gantry');
  try {
    const tables: ExportedTable[] = [];
    for (const { name, create } of await clickhouse.tables()) {
      const path = join(folder, `${name}.part`);
      await clickhouse.exportTable(name, path);
      tables.push({ name, create, path });
    }
    return { database: clickhouse.database, tables };
  } finally {
    await clickhouse.close();
  }
}

function connectTo({ data, clickhouse }: SystemLocation, database: string): ClickHouse {
  const target = clickhouse ?? { path: join(data, 'clickhouse') };
  return connectClickHouse({ ...target, database, requestTimeoutMs: 60 * 60_000 });
}

/** Services wait for ever for their broker; a person at a terminal should be told. */
async function connected(broker: Omit<ConnectOptions, 'name'>): Promise<NatsConnection> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new GantryError(
            'BACKUP.NO_BROKER',
            'unavailable',
            `The broker ${broker.url} does not answer. Start it first.`,
          ),
        ),
      CONNECT_MS,
    );
  });
  const connecting = connectNats({ ...broker, name: 'gantry backup' });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    void connecting.then((nc) => nc.close()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
